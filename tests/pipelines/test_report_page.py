"""`trueup report --html`: the file appears whole or not at all, and what is printed stays as it was."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.support.files import signal, trueup, two_days, write_events


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    path = write_events(folder / "in.jsonl", two_days("ab"))
    assert trueup("backfill", "--input", path, "--output", folder / "out").status == 0
    return folder / "out"


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_what_is_printed_is_the_same_and_the_page_is_named_beside_it(form: str, root: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    alone, both = trueup("report", "--data", root, "--as", form), trueup("report", "--data", root, "--as", form, "--html", page)
    assert (both.status, both.out) == (0, alone.out)
    assert both.err == f"The page with charts is {page}.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    text = page.read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")


def test_the_headline_is_that_of_the_report(root: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    fleet = trueup("report", "--data", root, "--as", "json", "--html", page).json["fleet"]
    text = page.read_text("utf-8")
    for name in ("raw_availability", "availability"):
        assert f'<p class="big">{100 * fleet[name]:.3f}<small> %</small>' in text


@pytest.mark.parametrize("name", ["missing/page.html", "folder.html"])
def test_a_file_that_cannot_be_written_is_one_sentence(name: str, root: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    done = trueup("report", "--data", root, "--html", tmp_path / name)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"trueup: --html: a file that can be written is required, got {tmp_path / name}: ")
    assert done.err.count("\n") == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["folder.html"]


def test_a_name_that_does_not_end_as_a_page_is_a_folder_of_pages(root: Path, tmp_path: Path) -> None:
    assert trueup("report", "--data", root, "--html", tmp_path / "new" / "site").status == 0
    pages = sorted(str(path.relative_to(tmp_path / "new" / "site")) for path in tmp_path.rglob("*.html"))
    index = (tmp_path / "new" / "site" / "index.html").read_text("utf-8")
    assert pages[0] == "index.html"
    assert {link.partition("#")[0] for link in re.findall('href="(sets/[^"]*)"', index)} == set(pages[1:])
    own = (tmp_path / "new" / "site" / pages[1]).read_text("utf-8")
    rows = duckdb.sql(f"SELECT count(*) FROM '{root}/operations/**/*.parquet' GROUP BY scale_set_id").fetchall()
    assert f"Operations ({rows[0][0]})" in own
    assert 'href="../index.html"' in own


def test_an_outage_that_goes_on_has_its_line_on_all_pages(tmp_path: Path) -> None:
    path = write_events(tmp_path / "in.jsonl", [*two_days("a"), signal(90_000, "9", "Available", scale_set="a"),
                                               signal(95_000, "9", "Unavailable", scale_set="a")])  # fmt: skip
    assert trueup("backfill", "--input", path, "--output", tmp_path / "out").status == 0
    assert trueup("report", "--data", tmp_path / "out", "--html", tmp_path / "site").status == 0
    assert " so far</b>: 1 machine" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "<td>it goes on<td>9<td>Unavailable" in next(tmp_path.glob("site/sets/*.html")).read_text("utf-8")


def test_a_file_where_the_folder_should_be_is_one_sentence(root: Path, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")
    done = trueup("report", "--data", root, "--html", tmp_path / "site")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"trueup: --html: a folder that can be written is required, got {tmp_path / 'site'}: ")
    assert (tmp_path / "site").read_text() == "mine"


def test_taken_away_is_one_number_above_and_below(root: Path, tmp_path: Path) -> None:
    """The bar's parts are all that was reported as bad; what causes tell as taken away is not told as excused."""
    page = tmp_path / "page.html"
    trueup("report", "--data", root, "--html", page)
    split = re.findall(r"<b>(\d+):(\d\d):(\d\d)</b>", page.read_text("utf-8").split('class="split"')[1].split("</div>")[0])
    whole = re.search(r"Azure reported (\d+):(\d\d):(\d\d) of machine", page.read_text("utf-8"))
    assert whole is not None
    assert abs(sum(seconds(part) for part in split) - seconds(whole.groups())) <= len(split)


def seconds(parts: tuple[str, ...]) -> int:
    hours, minutes, rest = (int(part) for part in parts)
    return hours * 3600 + minutes * 60 + rest


def test_an_older_page_is_replaced_by_a_file_like_any_other(root: Path, tmp_path: Path) -> None:
    page, other = tmp_path / "page.html", tmp_path / "other"
    for path in (page, other):
        path.write_text("old")
    page.chmod(0o600)
    assert trueup("report", "--data", root, "--html", page).status == 0
    assert page.read_text("utf-8") != "old"
    assert page.stat().st_mode == other.stat().st_mode


def test_a_report_without_a_page_loads_no_charts() -> None:
    code = "import sys, runners.cli; print({'vl_convert', 'jinja2', 'runners.page.page'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_one_scale_set_without_trouble_has_a_page(tmp_path: Path) -> None:
    path = write_events(
        tmp_path / "in.jsonl", [e for e in two_days("a") if e.get("state") == "Available" and e["kind"] == "signal"]
    )
    assert trueup("backfill", "--input", path, "--output", tmp_path / "out").status == 0
    assert trueup("report", "--data", tmp_path / "out", "--html", tmp_path / "page.html").status == 0
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "In no hour did anything count." in text
    assert "No machine was in trouble." in text
