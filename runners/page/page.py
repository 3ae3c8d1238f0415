"""The page of a report: one HTML file that holds all it needs, and loads nothing (contract: trueup report).

As a folder it is an index like it, and one such file for each scale set.
"""

import base64
import hashlib
import os
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from pipelines.failures import RunError
from pipelines.reading.evidence import ReportEvidence
from pipelines.reading.report import ReportSettings
from pipelines.reading.report import report as run
from pipelines.record.selection import Selection
from runners.page.cards import cards_of
from runners.page.outages import LISTED
from runners.page.places import FOLDER, INDEX, file_of, is_folder, no_page
from runners.page.set_page import by_set, set_rows
from runners.page.view import (
    MARK_KEYS,
    MARKED,
    PRINTED,
    PageEvidence,
    PageMaterial,
    SetDrawing,
    bin_told,
    class_keys,
    drawn_sets,
    head,
    lines_of,
    material_of,
    one_set,
    rows_of,
    view,
)
from runners.process.whole_file import write_whole
from transforms.core.report.charts.marks import marks_of, spells_in
from transforms.core.report.request import Report
from transforms.core.report.series import times

if TYPE_CHECKING:
    from jinja2 import Template

_AT_ONCE: Final = 50
"""Scale sets whose rows are held at once while their pages are written."""


def report_with_page(settings: ReportSettings, path: str) -> Report:
    """Makes the report of a folder, and writes its page, or the page and one of each scale set.

    Raises:
        RunError: there is nothing to report, or a file cannot be written.
        UsageError: the period is none, or too many lines are asked for.
    """
    selection = Selection(settings.data, settings.scale_sets)
    made = run(replace(settings, charts=True), selection)
    behind, wanted = ReportEvidence(settings.data, selection, made), drawn_sets(made, is_folder(path))
    page_of = file_of if is_folder(path) else no_page
    marks = marks_of(*behind.rows(wanted), behind.period, MARKED)
    evidence = PageEvidence(settings.data, bool(settings.scale_sets), wanted, marks, behind.outages(LISTED), page_of)
    if is_folder(path):
        write_pages(made, behind, evidence, path)
    else:
        write_page(made, evidence, path)
    return made


def write_page(report: Report, evidence: PageEvidence, path: str) -> None:
    """Writes the page as a file that appears whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    write_whole(path, page(material_of(report), evidence), "--html")


def write_pages(report: Report, behind: ReportEvidence, evidence: PageEvidence, folder: str) -> None:
    """Writes a page of each scale set, and the index last, so that no link leads nowhere.

    Raises:
        RunError: a file cannot be written.
    """
    try:
        os.makedirs(Path(folder, FOLDER), exist_ok=True)
    except OSError as error:
        raise RunError(f"--html: a folder that can be written is required, got {folder}: {error.strerror}.") from None
    material = material_of(report)
    ids = sorted(report.sets["scale_set_id"].to_pylist())
    for first in range(0, len(ids), _AT_ONCE):
        _write_sets(material, behind, tuple(ids[first : first + _AT_ONCE]), folder)
    write_whole(str(Path(folder, INDEX)), page(material, evidence), "--html")


def page(material: PageMaterial, evidence: PageEvidence) -> str:
    """The page as text."""
    values = view(material, evidence)
    parts = {
        "wbr": Markup("_<wbr>"),
        "rows": _rows(values.pop("table")),
        **{name: Markup(values.pop(name)) for name in ("fleet", "fleet_raw")},
        "heats": [heat._replace(drawn=Markup(heat.drawn)) for heat in values.pop("heats")],
        "drawn": [_marked_up(one) for one in values.pop("drawn")],
    }
    return _rendered("index.html", values | parts)


def _write_sets(material: PageMaterial, behind: ReportEvidence, ids: tuple[str, ...], folder: str) -> None:
    attributions, operations = behind.rows(ids)
    cards = cards_of(marks_of(attributions, operations, behind.period, MARKED), material.report.request, material.zone)
    rows_in = spells_in(attributions, behind.period).drop_columns(["counted_from", "counted_until", "counted_instance"])
    spells = by_set(rows_in, ["start", "instance_id"])
    since, until, _ = behind.period
    here = (times(operations, "start") < until) & (times(operations, "limit") > since)
    told = by_set(_plain(operations.filter(pa.array(here))), ["start", "operation_key"])
    lines, rows = lines_of(material, ids), rows_of(material.report, ids)
    period = head(material.report, material.zone) | {"bin": bin_told(lines), "classes": class_keys(), "mark_keys": MARK_KEYS}
    for place, one in enumerate(ids):
        drawing = one_set(material, lines, place, rows[one], cards.get(one, []))
        own = set_rows(spells.get(one, []), told.get(one, []), material.zone)
        values = period | own._asdict() | {"set": _marked_up(drawing), "index": f"../{INDEX}"}
        write_whole(str(Path(folder, file_of(one))), _rendered("set.html", values), "--html")


def _plain(rows: pa.Table) -> pa.Table:
    """The rows with texts instead of their codes, which cannot be sorted by."""
    texts = [field.name for field in rows.schema if pa.types.is_dictionary(field.type)]
    for name in texts:
        rows = rows.set_column(rows.column_names.index(name), name, pc.cast(rows[name], pa.string()))
    return rows


def _marked_up(drawing: SetDrawing) -> SetDrawing:
    return drawing._replace(drawn=Markup(drawing.drawn))


def _rendered(template: str, values: dict[str, Any]) -> str:
    script = _part("page.js")
    parts = {
        "style": Markup(_part("page.css").replace("{{printed}}", str(PRINTED + 1))),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    return _template(template).render(values | parts) + "\n"


def _rows(table: list[tuple[str, str, str, list[tuple[str, str, str, str]]]]) -> Markup:
    """The table rows of all scale sets, as short as possible since there may be thousands."""
    cell = Markup('<td class="n{}{}" data-v="{}">{}').format
    row = Markup('<tr><th scope="row" title="{}">{}{}\n').format
    plain, linked = Markup("<bdi>{}</bdi>").format, Markup('<a href="{}"><bdi>{}</bdi></a>').format
    none = Markup("")
    return none.join(
        row(
            id_,
            linked(page, name) if page else plain(name),
            none.join(cell(look, over, value, text) for value, text, look, over in cells),
        )
        for id_, name, page, cells in table
    )


@cache
def _part(name: str) -> str:
    return (files("runners.page") / name).read_text("utf-8")


@cache
def _template(name: str) -> "Template":
    environment = Environment(
        loader=FunctionLoader(_part), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)
