"""A report of many scale sets and a long period, without a record behind it: daily scale-ins, and outages now and then."""

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.reading.evidence import RankedOutage
from runners.page.outages import LISTED
from runners.page.places import PageOf, no_page
from runners.page.view import MARKED, PageEvidence, drawn_sets
from schemas.event import TIMESTAMP
from schemas.tables.attribution import ATTRIBUTIONS
from schemas.tables.operation import OPERATIONS
from schemas.time import DAY, HOUR, MINUTE
from tests.support.report_rows import report_rows
from transforms.core.report.calendar import fitting, period_edges
from transforms.core.report.charts.marks import marks_of, outages_of
from transforms.core.report.report import build_report
from transforms.core.report.request import Report, ReportRequest
from transforms.core.report.series import COUNTS, SERIES

FIRST = 20_454 * DAY
"""2026-01-01."""
SIZE = 10
_PREFIX = "/subscriptions/many/resourcegroups/rg/providers/microsoft.compute/virtualmachinescalesets/vmss-"
_DOWN = 20 * MINUTE


def report_of_many(sets: int, days: int, zone: str = "Europe/Berlin", page: PageOf = no_page) -> tuple[Report, PageEvidence]:
    """The report, and the evidence of its worst scale sets.

    Each day of each set one instance of 10 is excused for 20 minutes; on some days, more of them for the first sets, one is down.
    """
    ids = pa.array([f"{_PREFIX}{number:05}" for number in range(sets)])
    random = np.random.default_rng(7)
    code, day = (grid.ravel() for grid in np.meshgrid(np.arange(sets), np.arange(days), indexing="ij"))
    begin = FIRST + day * DAY + random.integers(0, 11 * 60, len(code)) * MINUTE
    outage = random.random(len(code)) < 0.2 * np.exp(-code / 100) + 0.005
    later = begin + random.integers(1, 11 * 60, len(code)) * MINUTE + _DOWN
    long = random.integers(1, 90, len(code)) * MINUTE
    operations, attributions = _evidence(ids, code, begin), _outages(ids, code[outage], later[outage], long[outage])
    every = pa.concat_tables([_explained(ids, code, begin), attributions]).unify_dictionaries()
    request = ReportRequest(
        edges=period_edges(FIRST, FIRST + days * DAY, fitting(FIRST, FIRST + days * DAY), ZoneInfo(zone)),
        by=fitting(FIRST, FIRST + days * DAY), time_zone=zone, target=0.999, each=False, known=(FIRST, FIRST + days * DAY),
        policies=("0" * 12,),
    )  # fmt: skip
    series = _series(ids, code, day, begin, later, np.where(outage, long, 0))
    made = build_report(report_rows(series, every, operations), request)
    wanted = drawn_sets(made, page is not no_page)
    near = [table.filter(pc.is_in(table["scale_set_id"].cast(pa.string()), pa.array(wanted))) for table in (every, operations)]
    period = (FIRST, FIRST + days * DAY, FIRST + days * DAY)
    worst = [RankedOutage(row, None) for row in outages_of(attributions, period, LISTED).to_pylist()]
    return made, PageEvidence("record", False, wanted, marks_of(*near, period, MARKED), worst, page)


def _series(ids: pa.StringArray, code: Any, day: Any, begin: Any, later: Any, long: Any) -> pa.Table:
    """Up, excused, up, and then bad and up again where there is an outage."""
    midnight = FIRST + day * DAY
    starts = np.stack([midnight, begin, begin + _DOWN, later, later + long], axis=1)
    ends = np.stack([begin, begin + _DOWN, later, later + long, midnight + DAY], axis=1)
    kind = np.broadcast_to(np.arange(5), starts.shape)
    kept = (starts < ends).ravel()
    row, kind = np.repeat(code, 5)[kept], kind.ravel()[kept]
    away, bad = (kind == 1).astype(np.int32), (kind == 3).astype(np.int32)
    counts = {"raw_available": SIZE - away - bad, "raw_unavailable": away + bad, "up": SIZE - away - bad}
    counts |= {"excused": away, "unavailable": bad}
    none = np.zeros(len(row), np.int32)
    states = [pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(row), np.int8)), pa.array(["Available"]))] * 2
    times = [pa.array(moments.ravel()[kept]).cast(TIMESTAMP) for moments in (starts, ends)]
    names = pa.DictionaryArray.from_arrays(pa.array(row.astype(np.int32)), ids)
    return pa.Table.from_arrays([names, *times, *states, *(pa.array(counts.get(name, none)) for name in COUNTS)], schema=SERIES)


def _explained(ids: pa.StringArray, code: Any, begin: Any) -> pa.Table:
    times = {"start": begin, "end": begin + _DOWN, "onset": begin, "operation_start": begin, "operation_end": begin + MINUTE}
    more = {"limit": begin + HOUR, "verdict": "explained", "verb": "scale_in", "initiator": "autoscale", "operation_key": "k"}
    return _rows(ATTRIBUTIONS, ids, code, times | more | {"excused_seconds": _DOWN / 1e6, "counted_seconds": 0.0})


def _outages(ids: pa.StringArray, code: Any, start: Any, long: Any) -> pa.Table:
    times = {"start": start, "end": start + long, "onset": start}
    none = dict.fromkeys(("operation_start", "operation_end", "limit", "verb", "initiator", "operation_key"))
    more = {"verdict": "unexplained", "excused_seconds": 0.0, "counted_seconds": long / 1e6}
    return _rows(ATTRIBUTIONS, ids, code, times | none | more)


def _evidence(ids: pa.StringArray, code: Any, begin: Any) -> pa.Table:
    texts = {"operation_key": "k", "verb": "scale_in", "initiator": "autoscale", "outcome": "succeeded", "target": "unnamed"}
    times = {"start": begin, "end": begin + MINUTE, "limit": begin + HOUR}
    return _rows(OPERATIONS, ids, code, {**texts, **times, "excuses": True, "instance_ids": []})


def _rows(schema: pa.Schema, ids: pa.StringArray, code: Any, values: dict[str, Any]) -> pa.Table:
    """Rows of a table: an array a column, or one value for all rows."""
    plain = {"instance_id": "3", "worst_state": "Unavailable", "candidates": 1, "effect": "removes", "episodes": 1, **values}
    fields = [field for field in schema if field.name in {"scale_set_id", *plain}]
    names = pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), ids)
    columns = [names if f.name == "scale_set_id" else _column(plain[f.name], f.type, len(code)) for f in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _column(value: Any, kind: pa.DataType, rows: int) -> pa.Array:
    if isinstance(value, np.ndarray):
        return pa.array(value).cast(kind)
    if value is None:
        return pa.nulls(rows, kind)
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows)).cast(kind.index_type), pa.array([value]))
    return pa.array([value], kind).take(pa.array(np.zeros(rows, np.int64)))
