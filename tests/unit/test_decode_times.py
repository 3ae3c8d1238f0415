"""Times as records write them (contract: Times)."""

from typing import Any

import pytest

from schemas.time import DAY
from schemas.timestamp import EARLIEST, parse_time
from tests.fixtures.decoding import NOW, decode, rejected, settings
from tests.fixtures.native import health_export, signal, status_event
from transforms.core.decode.fast_path.times import micros_of

JANUARY = 1_168_335_660_000_000  # 2007-01-09T09:41:00Z

READABLE = [
    ("2007-01-09T09:41:00", 0),
    ("2007-01-09T09:41:00Z", 0),
    ("2007-01-09t09:41:00z", 0),
    ("2007-01-09 09:41:00", 0),
    ("2007-01-09 09:41:00Z", 0),
    ("2007-01-09T09:41:00.2Z", 200_000),
    ("2007-01-09T09:41:00.22Z", 220_000),
    ("2007-01-09T09:41:00.6816663Z", 681_666),
    ("2007-01-09T09:41:00.535404999Z", 535_404),
    ("2007-01-09T09:41:00.9999999Z", 999_999),
    ("2007-01-09T09:41:00.992099+00:00", 992_099),
    ("2007-01-09T11:41:00+02:00", 0),
    ("2007-01-09T11:41:00 +0200", 0),
    ("2007-01-09T05:11:00.000001-04:30", 1),
    ("01/09/2007 09:41:00", 0),
    ("1/9/2007 09:41:00", 0),
    ("01/09/2007 09:41:00 AM", 0),
    ("1/9/2007 9:41:00 AM", 0),
    ("1/9/2007 10:41:00 AM +01:00", 0),
    ("1/9/2007 9:41:00.5 am", 500_000),
    ("1/9/2007 9:41:00 PM -12:00", DAY),
    ("1/9/2007 12:41:00 AM -09:00", 0),
    (" 2007-01-09T09:41:00Z ", 0),
]


@pytest.mark.parametrize(("text", "later"), READABLE, ids=[text for text, _ in READABLE])
def test_a_time_is_read_in_every_form_and_cut_after_the_sixth_digit(text: Any, later: Any) -> None:
    for record in (signal(time=text), status_event(), health_export({"currentHealthStatus": "Available"}, time=text)):
        if record.get("time") == text:
            assert decode(record).counts.earliest == JANUARY + later
    assert parse_time(text.strip()) == JANUARY + later


UNREADABLE = [
    "soon",
    "2007-01-09",
    "2007-01-09T09:41Z",
    "2007-01-09T09:41+00:00",
    "2007-01-09T9:41:00Z",
    "2007-13-09T09:41:00Z",
    "2007-02-30T09:41:00Z",
    "2007-01-09T24:00:00Z",
    "2007-01-09T09:41:60Z",
    "2007-01-09T09:41:00.Z",
    "2007-01-09T09:41:00.1234567890Z",
    "2007-01-09T09:41:00+24:00",
    "2007-01-09T09:41:00+02:60",
    "20070109T094100Z",
    "13/09/2007 09:41:00",
    "1/9/2007 13:41:00 PM",
    "1/9/2007 0:41:00 AM",
    "+2007-01-09T09:41:00Z",
    "\N{FULLWIDTH DIGIT TWO}007-01-09T09:41:00Z",
    "2007-01-09T09:41:00ZZ",
    1_168_335_660,
    ["2007-01-09T09:41:00Z"],
    True,
]


@pytest.mark.parametrize("value", UNREADABLE, ids=str)
def test_what_is_no_time_is_a_bad_time(value: Any) -> None:
    assert rejected(signal(time=value))[0] == "bad_time"
    event = status_event()
    event["data"]["resourceInfo"]["properties"]["occurredTime"] = value
    assert rejected(event)[0] == "bad_time"


@pytest.mark.parametrize("value", [None, "", ...])
def test_an_absent_time_is_a_missing_field(value: Any) -> None:
    assert rejected(signal(time=value)) == ("missing_field", "time is required, and it is absent")


def test_times_from_2000_until_a_day_from_now_are_accepted() -> None:
    edge = settings(now=EARLIEST)
    assert decode(signal(time="2000-01-01T00:00:00Z"), by=edge).counts.earliest == EARLIEST
    assert rejected(signal(time="1999-12-31T23:59:59.999999999Z"), by=edge)[0] == "bad_time"
    assert decode(signal(time="2000-01-02T00:00:00.0000009Z"), by=edge).counts.earliest == EARLIEST + DAY
    assert rejected(signal(time="2000-01-02T00:00:00.000001Z"), by=edge)[0] == "bad_time"


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1677-01-01T00:00:00Z"]
)
def test_times_beyond_every_type_are_bad_times(time: str) -> None:
    assert rejected(signal(time=time))[0] == "bad_time"


def test_what_lies_after_now_does_not_move_the_latest_time() -> None:
    counts = decode(signal(), signal(time="2026-10-31T10:00:00Z")).counts
    assert counts.latest < NOW < decode(signal(time="2026-10-31T10:00:00Z")).counts.earliest
    assert decode(signal(time="2026-10-31T10:00:00Z")).counts.latest is None


@pytest.mark.parametrize("text", [text for text, _ in READABLE])
def test_a_column_reads_each_form_beside_ordinary_ones(text: Any) -> None:
    micros, good = micros_of(["2026-10-01T00:00:00Z", text, None, "soon"], NOW)
    assert good.tolist() == [True, True, False, False]
    assert micros[1] == parse_time(text.strip())
