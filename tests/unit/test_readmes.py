"""The README files beside the code: their links lead somewhere, and they leave out nothing that they list."""

import json
import re
import tomllib

import pytest

from tests.support.readmes import ROOT, TEXTS, anchor, headings, sources

RUNNERS = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "runners").rglob("README.md"))]
PAGES = [*TEXTS.values(), *RUNNERS, "tests/README.md", ".github/CONTRIBUTING.md", ".github/CHANGELOG.md"]
CASES = {case["name"] for case in json.loads((ROOT / "tests" / "conformance" / "cases.json").read_text())}
_FILE = re.compile(r"`([\w/]+\.(?:py|sql|json))`")


def _shown() -> set[str]:
    """The names behind each "Shown by"."""
    text = (ROOT / TEXTS["rules"]).read_text()
    paragraphs = re.findall(r"Shown by:(.*?)(?=\n\n|\Z)", text, re.DOTALL)
    return {name for paragraph in paragraphs for name in re.findall(r"`(\w+)`", paragraph)}


def test_each_case_is_shown_by_a_rule_and_each_that_is_shown_is_one() -> None:
    assert _shown() == CASES


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_a_file_and_a_heading(page: str) -> None:
    text = (ROOT / page).read_text()
    for target, fragment in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        assert not fragment or fragment in map(anchor, headings(path)), (target, fragment)


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_are_there(page: str) -> None:
    below = {
        path.relative_to(ROOT).as_posix() for path in [*sources(), *ROOT.rglob("cases.json"), *ROOT.glob("runners/**/*.json")]
    }
    for named in _FILE.findall((ROOT / page).read_text()):
        if named.startswith("DIR/"):  # what a user's folder holds
            continue
        assert any(path == named or path.endswith(f"/{named}") for path in below), named


def test_each_variable_of_the_environment_is_explained() -> None:
    scripts = [path for path in (ROOT / ".ci").iterdir() if path.is_file()]
    used = {name for path in [*sources(), *scripts] for name in re.findall(r"\bTRUEUP_[A-Z_]+\b", path.read_text())}
    told = "".join((ROOT / folder / "README.md").read_text() for folder in ("tests", "schemas"))
    assert set(re.findall(r"`(TRUEUP_\w+)`", told)) == used


def test_a_wheel_leaves_them_out() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert {f"/{path}" for path in TEXTS.values()} <= set(build["targets"]["wheel"]["exclude"])
