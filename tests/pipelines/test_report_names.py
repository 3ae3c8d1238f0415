"""Hostile names are shown harmlessly in every form of the report, and stay what they are in JSON."""

import csv
import io
import re
from pathlib import Path

import pytest

from runners.words.names import for_markdown, for_spreadsheet, harmless, labels, shortened
from tests.support.files import at, signal, trueup, write_events

NAMES = {
    "tag": "<script>alert('1')</script>",
    "quotes": "a\"b'c`d",
    "long": "n" * 200,
    "right to left": "\u05e9\u05dc\u05d5\u05dd\u0645\u0631\u062d\u0628\u0627",
    "turned": "abc\u202egnp.exe",
    "invisible": "a\u200bb\u2066c",
    "escape": "\x1b[31mred\x1b[0m\x07\x9b2J",
    "title": "\x1b]0;owned\x07",
    "markup": "[red]x[/red][link=http://a]y",
    "emoji code": ":bomb:",
    "lines": "one\ntwo\r\nthree\u2028four",
    "formula": "=cmd|'/c calc'!a0",
    "plus": "+1+1",
    "at": "@sum(1)",
    "minus": "-2+3",
    "tab": "\t=1",
    "markdown": "|a|*b*_c_[d](http://e)`f`# g ~~h~~ $i$ &lt;",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    events = [
        signal(seconds, "1", state, scale_set=name)
        for name in NAMES.values()
        for seconds, state in ((0, "Available"), (60, "Unavailable"), (90, "Available"))
    ]
    path = write_events(folder / "in.jsonl", events)
    assert trueup("backfill", "--input", path, "--output", folder / "out").status == 0
    assert at(0)
    return folder / "out"


def printed(root: Path, form: str) -> str:
    done = trueup("report", "--data", root, "--top", "50", "--as", form)
    assert (done.status, done.err) == (0, "")
    return done.out


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "prometheus"])
def test_nothing_that_controls_or_turns_is_printed(form: str, root: Path) -> None:
    allowed = {"\n", "\u2068", "\u2069"}
    assert {c for c in printed(root, form) if not c.isprintable()} <= allowed


def test_the_terminal_shows_markup_and_codes_as_they_stand(root: Path) -> None:
    shown = printed(root, "table")
    for text in ("[red]x[/red]", ":bomb:", "<script>", r"\x1b[31mred"):
        assert text in shown
    wide = [line for line in re.sub("[\u2068\u2069]", "", shown).splitlines() if len(line) > 80]
    assert wide == []


def test_what_runs_from_right_to_left_is_closed_in(root: Path) -> None:
    assert f"\u2068{NAMES['right to left']}\u2069" in printed(root, "table")


def test_markdown_makes_no_markup_of_names(root: Path) -> None:
    shown = printed(root, "markdown")
    tables = [line for line in shown.splitlines() if line.startswith("| ")]
    assert "<" not in shown
    assert re.search(r"(?<!\\)[\[\]`*_~]", shown) is None
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in tables}
    assert widths <= set(range(3, 12))
    assert NAMES["long"] in shown


def test_no_cell_of_the_csv_is_a_formula(root: Path) -> None:
    rows = list(csv.reader(io.StringIO(printed(root, "csv"))))
    assert len({len(row) for row in rows}) == 1
    texts = {row[0] for row in rows[1:]}
    assert {text for text in texts if text[0] in "=+-@\t\r\n"} == set()
    assert f"'{NAMES['formula']}" in texts
    assert len(texts) == len(NAMES)


def test_json_holds_names_as_they_are(root: Path) -> None:
    text = printed(root, "json")
    assert text.isascii()
    made = trueup("report", "--data", root, "--as", "json").json
    assert {row["scale_set_id"] for row in made["scale_sets"]} == {name.casefold() for name in NAMES.values()}


def test_names_that_look_alike_are_told_apart() -> None:
    def id_(subscription: str, group: str, name: str) -> str:
        return f"/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.compute/virtualmachinescalesets/{name}"

    ids = [id_("s", "g", "web"), id_("s", "h", "web"), id_("s", "g", "db"), id_("t", "h", "web"), "plain", "/", "x/plain"]
    assert labels(ids) == {
        ids[0]: "g/web",
        ids[1]: "s/h/web",
        ids[2]: "db",
        ids[3]: "t/h/web",
        "plain": "plain",
        "/": "/",
        "x/plain": "x/plain",
    }


def test_texts_for_people_are_short_and_plain() -> None:
    assert shortened("x" * 200, 24).count("x") == 23
    assert harmless("a b\u00a0c") == r"a b\xa0c"
    assert for_spreadsheet(" =1") == "' =1"
    assert for_markdown("a|b") == "a&#124;b"
