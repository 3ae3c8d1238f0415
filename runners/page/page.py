"""The page of a report: one HTML file that holds all it needs, and loads nothing (contract: trueup report)."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pyarrow as pa
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from pipelines.reading.evidence import evidence
from pipelines.reading.report import ReportSettings
from pipelines.reading.report import report as run
from pipelines.record.selection import Selection
from runners.page.view import MARKED, PRINTED, drawn_sets, view
from runners.process.whole_file import write_whole
from transforms.core.report.request import Report

if TYPE_CHECKING:
    from jinja2 import Template


def report_with_page(settings: ReportSettings, path: str) -> Report:
    """Makes the report of a folder, and writes its page.

    Raises:
        RunError: there is nothing to report, or the file cannot be written.
        UsageError: the period is none, or too many lines are asked for.
    """
    selection = Selection(settings.data, settings.scale_sets)
    made = run(settings, selection)
    write_page(made, evidence(settings.data, selection, made, drawn_sets(made), MARKED), path)
    return made


def write_page(report: Report, marks: pa.Table, path: str) -> None:
    """Writes the page as a file that appears whole or not at all.

    Args:
        report: the figures.
        marks: the evidence of `drawn_sets(report)`, MARKS of `transforms.core.report.charts.marks`.
        path: the file.

    Raises:
        RunError: the file cannot be written.
    """
    write_whole(path, page(report, marks), "--html")


def page(report: Report, marks: pa.Table) -> str:
    """The page as text."""
    values = view(report, marks)
    script = _part("page.js")
    parts = {
        "style": Markup(_part("page.css").replace("{{printed}}", str(PRINTED + 1))),
        "wbr": Markup("_<wbr>"),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "rows": _rows(values.pop("table")),
        "fleet": Markup(values.pop("fleet")),
        "heats": [heat._replace(drawn=Markup(heat.drawn)) for heat in values.pop("heats")],
        "drawn": [one._replace(drawn=Markup(one.drawn)) for one in values.pop("drawn")],
    }
    return _template().render(**values, **parts) + "\n"


def _rows(table: list[tuple[str, str, list[tuple[str, str, str, str]]]]) -> Markup:
    """The table rows of all scale sets, as short as possible since there may be thousands."""
    cell = Markup('<td class="n{}{}" data-v="{}">{}').format
    row = Markup('<tr><th scope="row" title="{}"><bdi>{}</bdi>{}\n').format
    return Markup("").join(
        row(id_, name, Markup("").join(cell(look, over, value, text) for value, text, look, over in cells))
        for id_, name, cells in table
    )


@cache
def _part(name: str) -> str:
    return (files("runners.page") / name).read_text("utf-8")


@cache
def _template() -> "Template":
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_part("template.html"))
