"""Code cites the README files of its rules, as `(rules: Refused)`, and what it cites is there."""

import re

import pytest

from tests.support.readmes import ROOT, TEXTS, citations, headings, sources

ELSEWHERE = re.compile(r"\b(semantics|contract|architecture)\.md\b|[(]architecture: ")


@pytest.mark.parametrize("text", TEXTS)
def test_each_heading_is_there_once(text: str) -> None:
    found = headings(ROOT / TEXTS[text])
    assert sorted(found) == sorted(set(found))


def test_each_citation_names_a_heading_of_its_text() -> None:
    known = {text: set(headings(ROOT / path)) for text, path in TEXTS.items()}
    assert [cited for cited in citations() if cited.heading not in known.get(cited.text, ())] == []


def test_no_citation_is_of_a_file_that_is_not_here() -> None:
    told = [(path.relative_to(ROOT).as_posix(), line) for path in sources() for line in path.read_text().splitlines()]
    assert [(path, line.strip()) for path, line in told if ELSEWHERE.search(line)] == []


def test_the_product_cites_each_text() -> None:
    assert {cited.text for cited in citations() if not cited.path.startswith("tests/")} == set(TEXTS)
