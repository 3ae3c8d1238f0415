"""`trueup explain` from folder to sentences: every verdict, boundaries, stretches, and what is refused."""

from pathlib import Path

import pytest

from tests.support import build
from tests.support.explaining import backfilled, explained, past, restart, said
from tests.support.files import trueup

TIMELINES = {
    "explained": [
        build.up(0, None, "1", "2"),
        restart(600, 700),
        build.down(610, "1"),
        build.degraded(611, None),
        build.up(690, "1", None),
    ],
    "overrun": [build.up(0, "1", "2"), restart(600, 700), build.down(610, "1"), build.up(2200, "1")],
    "unexcused": [
        build.up(0, "1", "2"),
        build.spanning(600, 700, "maintenance", "1", by="platform"),
        build.degraded(610, "1"),
        build.up(690, "1"),
    ],
    "fault": [build.up(0, "1", "2"), restart(600, 700), build.fault(605, "1"), build.down(610, "1"), build.up(690, "1")],
    "unexplained": [
        build.up(0, "1", "2"),
        restart(100, 200),
        build.down(5000, "1"),
        build.up(5600, "1"),
        restart(6000, 6100, key="l"),
    ],
    "removed": [build.up(0, "1", "2"), build.spanning(600, 700, "delete", "2"), build.degraded(610, "2")],
    "presumed": [
        build.up(0, "1", "2"),
        build.op(600, "scale_in", "announced", by="autoscale"),
        build.degraded(610, "2"),
        build.up(7000, "1"),
    ],
    "failed": [
        build.up(0, None, "1", "2"),
        build.spanning(600, 800, "delete", "2", outcome="failed"),
        build.down(610, "2"),
        build.degraded(611, None),
        build.up(800, None),
        build.up(7000, "1"),
    ],
    "open": [build.up(0, "1", "2"), restart(600, 700), build.down(610, "1"), build.up(7000, "2")],
    "just now": [build.up(0, "1"), build.down(10_700, "1")],
    "quiet": [build.up(0, "1", "2"), build.up(7000, "1")],
    "alone": [build.up(0, None), build.down(610, None), build.up(690, None)],
    "away": [
        build.up(0, "1", "2"),
        build.spanning(600, 700, "deallocate", "2"),
        build.up(7000, "1"),
    ],
    "stopped": [
        build.up(0, "1", "2"),
        build.spanning(600, 700, "stop", "2"),
        build.down(650, "2"),
        build.down(5000, "1"),
        build.up(5600, "1"),
        build.up(9000, "2"),
    ],
    "off": [build.up(0, "1", "2"), build.spanning(600, 700, "stop", "2"), build.down(650, "2"), build.up(7000, "1")],
    "unknown": [build.up(0, "1", "2"), build.unknown(610, "1"), build.up(690, "1")],
    "flapping": [build.up(0, None, "1"), build.degraded(610, None), build.up(690, None)],
    "cut": [build.up(0, "1", "2"), restart(600, 700), build.down(610, "1"), build.fault(900, "1"), build.up(1200, "1")],
    "chained": [
        build.up(0, "1"),
        restart(600, 700),
        restart(1500, 1600, key="l"),
        build.down(610, "1"),
        build.up(3000, "1"),
    ],
    "possible": [build.up(0, "1"), build.spanning(600, 6000, "upgrade"), build.down(610, "1"), build.up(5000, "1")],
    "unfinished": [build.up(0, "1"), build.op(600, "restart", "started", "1"), build.down(610, "1"), build.up(5000, "1")],
    "rolling": [
        build.up(0, *"123456"),
        build.spanning(600, 1200, "upgrade"),
        *(build.down(610 + 60 * int(i), i) for i in "123456"),
        *(build.up(650 + 60 * int(i), i) for i in "123456"),
    ],
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    events = [event for name, timeline in TIMELINES.items() for event in past(*timeline, of=name)]
    return backfilled(folder, events, "--until", "2024-01-01T03:00:00Z")


VERDICTS = [
    ("explained", 650, "It was expected: 1 of 2 instances was excused, since operations explain it, and nothing counted."),
    ("explained", 650, "Instance 1 was not Available (Unavailable at worst) from 2024-01-01 00:10:10 to 00:11:30 (1 min 20 s)."),
    ("explained", 650, "A restart by the customer (00:10:00 to 00:11:40) explains it; it began 10 s after the operation."),
    ("explained", 650, "from 00:26:40 (the end of the operation, and 15 min to settle) on. "
     "Excused: 1 min 20 s; counted: nothing."),
    ("explained", 650, "The scale set itself was not Available (Degraded at worst) from 2024-01-01 00:10:11 to 00:11:30"),
    ("overrun", 1000, "It was expected: 1 of 2 instances was excused, since operations explain it, and nothing counted. "
     "It was not over in time, though: from 00:26:40 on it was real."),
    ("overrun", 1700, "It was real: 1 of 2 instances counted as not available."),
    ("overrun", 1700, "explains how it began, 10 s after the operation, but not how long it took. It is excused until 00:26:40 "
     "(the end of the operation, and 15 min to settle), and an outage from there on. Excused: 16 min 30 s; counted: 10 min."),
    ("unexcused", 650, "Maintenance by the platform (00:10:00 to 00:11:40) caused it; it began 10 s after the operation. "
     "The policy does not excuse maintenance by the platform: it counts as it was reported. Counted: 1 min 20 s."),
    ("fault", 650, "It was real: within 2 min of its beginning the platform itself reported failing hardware, network or guest"),
    ("fault", 650, "1 operation would have been there to explain it, were it not for that notice."),
    ("unexplained", 5100, "It was real: 1 of 2 instances counted as not available."),
    ("unexplained", 5100, "Nothing explains it: it was real. No operation on it was under way or settling when it began. "
     "The last one before, a restart by the customer at 2024-01-01 00:01:40, explains what begins until 00:18:20; "
     "this was 1 h 5 min later. The next one, a restart by the customer at 2024-01-01 01:40:00, began 16 min 40 s after it. "
     "Counted: 10 min."),
    ("removed", 650, "It was expected: 1 of 2 instances had been taken away by operations, and nothing counted."),
    ("removed", 650, "Instance 2 was away from 2024-01-01 00:10:00 to 00:26:40 (16 min 40 s). "
     "A deletion by the customer (00:10:00 to 00:11:40) took it away. Such time is not counted anywhere."),
    ("presumed", 1000, "A scale-in by autoscale (at 00:10:00) explains it; it began 10 s after the operation. "
     "Its records do not say "
     "which instances it took away. Nothing more was heard of it, so from 00:25:00 (the end of the operation, and 15 min to "
     "settle) on it is presumed to be gone. Excused: 14 min 50 s; counted: nothing. "
     "Until 2024-01-02 00:10:10 a sign of life would still take that back."),
    ("failed", 650, "A deletion by the customer (00:10:00 to 00:13:20, failed) explains it; it began 10 s after the operation. "
     "No record says that it succeeded in taking it away."),
    ("open", 5000, "Instance 1 was not Available (Unavailable at worst) from 2024-01-01 00:10:10 on, "
     "and still at 03:00:00, where what "
     "is known ends."),
    ("open", 5000, "It is open, so this can still change; how much of it counts is told when it has ended."),
    ("just now", 10_750, "It began just before what is known ends: "
     "an operation that ends by 2024-01-01 03:10:20 can still explain it."),
    ("quiet", 5000, "Nothing was wrong: all 2 instances were up."),
    ("quiet", 5000, "There is no trouble in all that is published of it."),
    ("alone", 650, "It was real, as far as the scale set's own reports tell: it was Unavailable. No instance of it was there."),
    ("away", 5000, "Nothing was wrong: 1 of 2 instances was up. 1 instance had been taken away by operations."),
    ("unknown", 650, "Of 1 instance nothing was known; such time is not counted."),
    ("flapping", 650, "Nothing counted: the scale set reported Degraded, but the one instance was up of those that count."),
    ("cut", 1000, "It is excused until 00:15:00 (then the platform reported failing hardware, network or guest), and an outage"),
    ("chained", 1000, "It is excused until 00:41:40 (extended by an operation that belongs to it or followed it), and an outage"),
    ("possible", 1000, "It is excused until 01:10:10 (1 h is the most "
     "that an operation excuses that does not say on which instances"),
    ("unfinished", 1000, "A restart by the customer (begun at 00:10:00, its end was never reported) explains how it began"),
    ("unfinished", 1000, "It is excused until 00:55:00 (30 min that a restart may take, "
     "since its end is not known, and 15 min to"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "seconds", "sentence"), VERDICTS, ids=[f"{n}-{k}" for k, (n, *_) in enumerate(VERDICTS)])
def test_a_moment_is_told_by_its_verdict(name: str, seconds: float, sentence: str, record: Path) -> None:
    assert sentence in said(record, name, seconds)


def test_a_moment_lies_in_what_begins_at_it_and_not_in_what_ends(record: Path) -> None:
    def real(seconds: float) -> bool:
        return "It was real" in said(record, "unexplained", seconds)

    assert [real(t) for t in (4999.999999, 5000, 5599.999999, 5600)] == [False, True, True, False]
    assert "Instance 1 was not" not in said(record, "unexplained", 5600)


def test_a_limit_is_the_first_moment_that_counts(record: Path) -> None:
    assert "1 excused" in said(record, "overrun", 1599.999999)
    assert "1 overrun" in said(record, "overrun", 1600)


def test_what_was_reported_is_told_with_its_bounds(record: Path) -> None:
    text = said(record, "explained", 650)
    assert "reported Degraded, from 2024-01-01 00:10:11 to 00:11:30 instances: 1 Available, 1 Unavailable" in text
    assert "corrected Available instances: 1 up, 1 excused" in text
    assert "from 2024-01-01 00:11:30 to 03:00:00" in said(record, "explained", 6000)


def test_the_evidence_is_named(record: Path) -> None:
    text = said(record, "explained", 650)
    events = past(*TIMELINES["explained"], of="explained")
    down = next(event for event in events if event["state"] == "Unavailable")
    assert "operation key k" in text
    assert f"first signal {down['event_id']}" in text


def test_of_a_key_of_the_activity_log_the_correlation_id_is_told(tmp_path: Path) -> None:
    key = "c0ffee|microsoft.compute/virtualmachinescalesets/restart/action|/subscriptions/s"
    root = backfilled(
        tmp_path, past(build.up(0, "1"), restart(600, 700, key=key), build.down(610, "1"), build.up(690, "1"), of="a")
    )
    text = said(root, "a", 650)
    assert "correlation id c0ffee first signal" in text
    assert explained(root, "a", 650, "--as", "json").json["moment"]["attributions"][0]["operation"]["key"] == key


def test_other_candidates_are_counted(tmp_path: Path) -> None:
    more = [restart(500 + 10 * k, 700, key=f"k{k}") for k in range(3)]
    root = backfilled(tmp_path, past(build.up(0, "1"), *more, build.down(610, "1"), build.up(690, "1"), of="a"))
    assert "2 other operations could have explained it too." in said(root, "a", 650)


def test_stretches_are_told_in_order_of_time_with_their_neighbours(record: Path) -> None:
    text = said(record, "unexplained")
    assert "All stretches of trouble, the last one at the end." in text
    assert "2024-01-01 01:23:20 to 01:33:20 (10 min): real Instance 1: nothing explains it; counted: 10 min." in text
    assert "The next one: 2024-01-01 01:23:20 to 01:33:20, 1 h 20 min later, real." in said(record, "unexplained", 200)
    assert "The last one before: 2024-01-01 01:23:20 to 01:33:20, 6 min 40 s earlier, real." in said(record, "unexplained", 6000)
    assert "This is part of a stretch of trouble from 2024-01-01 01:23:20 to 01:33:20." in said(record, "unexplained", 5100)


def test_a_moment_while_something_is_away_is_in_the_stretch_of_that_unless_more_is_wrong(record: Path) -> None:
    away, outage = "2024-01-01 00:10:00 to 02:30:00", "2024-01-01 01:23:20 to 01:33:20"
    assert f"This is part of a stretch of trouble from {away}." in said(record, "stopped", 4000)
    assert f"The next one: {outage}, 16 min 40 s later, real." in said(record, "stopped", 4000)
    assert f"This is part of a stretch of trouble from {outage}." in said(record, "stopped", 5100)
    assert f"The last one before: {away}, 10 min earlier, expected." not in said(record, "stopped", 8999.999999)
    assert f"This is part of a stretch of trouble from {away}." in said(record, "stopped", 8999.999999)
    assert f"The last one before: {outage}" in said(record, "stopped", 9600)
    assert "a stretch of trouble begun at 2024-01-01 00:10:00 and still away." in said(record, "off", 5000)
    told = explained(record, "off", None, "--as", "json").json["stretches"]
    assert [(one["start"], one["end"]) for one in told] == [("2024-01-01T00:10:00Z", None)]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("explained", "(1 min 20 s): expected Instance 1: a restart by the customer explains it; nothing of it counts."),
        ("overrun", "partly real Instance 1: a restart by the customer did not bring it back in time; counted: 10 min."),
        ("unexcused", "real Instance 1: maintenance by the platform caused it, which excuses nothing; counted: 1 min 20 s."),
        ("fault", "real Instance 1: the platform reported a fault; counted: 1 min 20 s."),
        ("open", "2024-01-01 00:10:10, still open: partly real"),
        ("open", "did not bring it back in time; counted: known when it has ended."),
        ("alone", "real The scale set itself: nothing explains it; counted: 1 min 20 s."),
        ("quiet", "No trouble in all that is published of it."),
        ("stopped", "2024-01-01 00:10:00 to 02:30:00 (2 h 20 min): expected Instance 2: a stop by the customer explains it;"),
        ("stopped", "2024-01-01 01:23:20 to 01:33:20 (10 min): real Instance 1: nothing explains it; counted: 10 min."),
        ("off", "2024-01-01 00:10:00, still away: expected Instance 2: a stop by the customer explains it;"),
        ("away", "No trouble in all that is published of it."),
        ("rolling", "6 instances (1, 2, 3, 4 and 2 more): an upgrade by the customer explains it; nothing of it counts."),
    ],
)
def test_a_stretch_is_told_in_a_sentence(name: str, sentence: str, record: Path) -> None:
    assert sentence in said(record, name)


def test_what_one_operation_explains_is_one_stretch(record: Path) -> None:
    told = explained(record, "rolling", None, "--as", "json").json["stretches"]
    assert [(one["start"], one["end"]) for one in told] == [("2024-01-01T00:11:10Z", "2024-01-01T00:16:50Z")]


def test_the_example_that_is_given_works(tmp_path: Path) -> None:
    root = backfilled(tmp_path, past(build.up(0, "1"), build.down(5000.5, "1"), build.up(5600, "1"), of="a"))
    done = explained(root, "a")
    (example,) = (line.split() for line in done.out.splitlines() if line.startswith("  trueup explain"))
    again = trueup(*example[1:])
    assert again.status == 0
    assert "It was real" in again.out


def test_of_one_version_the_answer_is_told_once(record: Path) -> None:
    text = said(record, "quiet", 5000)
    assert text.endswith("first published, by a backfill: corrected state Available, nothing to explain.")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--scale-set", "none"], 1, "--scale-set: the id or name of a scale set in the folder is required, got 'none'"),
        (["--scale-set", "quie?"], 1, "--scale-set: the id or name of a scale set in the folder is required, got 'quie?'"),
        (
            ["--scale-set", "quiet", "--at", "2023-12-31T23:59:59Z"],
            1,
            "--at: a time within what is published, 2024-01-01T00:00:00Z to",
        ),
        (["--scale-set", "quiet", "--at", "2024-01-01T03:00:00Z"], 1, "to 2024-01-01T03:00:00Z, is required"),
        (["--scale-set", "quiet", "--at", "yesterday"], 2, "--at: a date or a time like"),
        (["--scale-set", "quiet", "--last", "0"], 2, "--last"),
        (["--scale-set", "quiet", "--time-zone", "Mars/Base"], 2, "--time-zone: the name of a time zone"),
        (["--scale-set", "quiet", "--as", "xml"], 2, "--as"),
        ([], 2, "--scale-set is required"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_what_cannot_be_explained_is_said_in_one_sentence(arguments: list[str], status: int, says: str, record: Path) -> None:
    done = trueup("explain", "--data", record, *arguments)
    assert (done.status, done.out, done.err.count("\n")) == (status, "", 1)
    assert says in done.err
    assert done.err.endswith(".\n")


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_without_tables_is_said_to_be_none(made: bool, tmp_path: Path) -> None:
    if made:
        (tmp_path / "revisions").mkdir()
    done = explained(tmp_path, "a")
    assert (done.status, done.err) == (1, f"trueup: --data: a folder that trueup has written is required, got {tmp_path}.\n")


def test_times_are_told_on_the_clocks_of_a_zone(record: Path) -> None:
    text = said(record, "unexplained", None, "--time-zone", "Asia/Kolkata")
    assert "unexplained, times in Asia/Kolkata. Published: 2024-01-01 05:30:00 to 08:30:00." in text
    assert "--time-zone Asia/Kolkata --at 2024-01-01T06:53:20" in text
    done = trueup(
        *("explain", "--data", record, "--scale-set", "unexplained"),
        *("--time-zone", "Asia/Kolkata", "--at", "2024-01-01T06:53:20"),
    )
    assert "At 2024-01-01 06:53:20: It was real" in done.out
