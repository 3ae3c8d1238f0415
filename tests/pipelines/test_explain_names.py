"""`trueup explain` and names: several scale sets of one name, and names that mean harm."""

import re
from pathlib import Path

import pytest

from tests.support import build
from tests.support.explaining import GROUP, backfilled, explained, past, said
from tests.support.files import trueup


def test_names_that_several_have_need_more(tmp_path: Path) -> None:
    events = past(build.up(0, "1"), of="web")
    other = [{**event, "scale_set_id": GROUP.format("h", "web")} for event in past(build.up(0, "1", "2"), of="web")]
    root = backfilled(tmp_path, [*events, *other])
    done = explained(root, "web", 10)
    assert (done.status, done.out) == (2, "")
    assert done.err == "trueup: --scale-set: one scale set is required, and 2 are called web: g/web, h/web.\n"
    assert "all 2 instances" in said(root, "h/web", 10)
    assert "the one instance" in said(root, GROUP.format("g", "web").upper(), 10)


HOSTILE = {
    "tag": "<script>alert('1')</script>",
    "long": "n" * 200,
    "right to left": "\u05e9\u05dc\u05d5\u05dd",
    "turned": "abc\u202egnp.exe",
    "escape": "\x1b[31mred\x1b[0m\x07",
    "markup": "[red]x[/red]:bomb:",
    "lines": "one\ntwo\u2028three",
    "quotes": "a\"b'c`d $(e)",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("seconds", [None, 650])
def test_hostile_names_do_no_harm(name: str, seconds: float | None, tmp_path: Path) -> None:
    events = past(build.up(0, name), build.spanning(600, 700, "restart", key=name), build.down(610, name), of="a")
    root = backfilled(tmp_path, [{**event, "scale_set_id": name} for event in events])
    done = explained(root, name, seconds)
    assert (done.status, done.err) == (0, "")
    assert {c for c in done.out if not c.isprintable()} <= {"\n", "\u2068", "\u2069"}
    assert [
        line for line in re.sub("[\u2068\u2069]", "", done.out).splitlines() if len(line) > 80 and "trueup explain" not in line
    ] == []
    told = explained(root, name, 650, "--as", "json").json
    assert told["scale_set_id"] == name.casefold()
    assert told["moment"]["attributions"][0]["operation"]["key"] == name


@pytest.mark.parametrize(
    ("command", "given", "near"),
    [
        ("explain", "wbe-main", "web-main"),
        ("explain", GROUP.format("h", "WEB-MIAN"), "web-main"),
        ("report", "wbe-mai*", "web-main"),
        ("explain", "queue", None),
        ("report", "queue", None),
    ],
)
def test_a_name_that_none_has_is_answered_with_the_nearest(command: str, given: str, near: str | None, tmp_path: Path) -> None:
    root = backfilled(tmp_path, [*past(build.up(0, "1"), of="web-main"), *past(build.up(0, "1"), of="batch")])
    done = trueup(command, "--data", root, "--scale-set", given)
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.endswith("\n" if near is None else f"; the nearest is {near}.\n")
    assert ("; the nearest is" in done.err) == (near is not None)


def test_what_a_name_hides_is_spelled_out_in_an_error_too(tmp_path: Path) -> None:
    root = backfilled(tmp_path, past(build.up(0, "1"), of="web\u202e\x1bmain"))
    assert trueup("report", "--data", root, "--scale-set", "web-main").err.endswith("the nearest is web\\u202e\\x1bmain.\n")
