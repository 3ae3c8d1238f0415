"""The graph that Dataflow gets, but for its source, with workers in a process of their own."""

import uuid
from pathlib import Path

from pipelines.replay.publish import Topic
from pipelines.replay.replay import Outgoing
from pipelines.stream.backfilled import BackfilledSets
from pipelines.stream.stream import StreamSettings
from runners.engines.pubsub import publisher
from schemas.policy import Policy
from schemas.time import DAY, HOUR, SECOND
from tests.support.build import Event
from tests.support.emulator import Emulator
from tests.support.files import current, signal, table, trueup, two_days, write_events
from tests.support.live import LIVE, backfilled, bodies, hour, reaches, recent, revisions, wait
from tests.support.native import natively_elsewhere
from transforms.core.decode.outline import outline_of

pytestmark = LIVE


def told(subscription: str, out: Path, dead: str | None = None, resume: bool = False) -> StreamSettings:
    return StreamSettings(
        subscription,
        str(out),
        flush=SECOND,
        groups=4,
        runner="DataflowRunner",
        dead_letter=dead,
        id_attribute="id",
        time_attribute="time",
        resume=resume,
    )


def publish(topic: str, records: list[bytes]) -> None:
    """As `trueup publish` does, with the attributes that Dataflow's source reads."""
    Topic(publisher(), topic).send([Outgoing("f", n, text, outline_of(text)) for n, text in enumerate(records)])


def test_a_stream_ends_as_the_backfill_and_dead_letters_are_published(pubsub: Emulator, tmp_path: Path) -> None:
    topic, subscription = pubsub.open(f"dataflow-{uuid.uuid4().hex}")
    dead_topic, dead = pubsub.open(f"dead-{uuid.uuid4().hex}")
    end, out = hour(), tmp_path / "out"
    events = recent(list(two_days()), end)
    late = recent([signal(2 * 24 * 3600 - 1800, "1", "Unavailable"), signal(2 * 24 * 3600 - 1700, "1", "Available")], end)
    too_late = recent([signal(20, "1", "Unavailable", event_id="old")], end)
    publish(topic, [*bodies(events), b"{broken"])
    with natively_elsewhere(told(subscription, out, dead_topic), tmp_path):
        wait(180, lambda: reaches(out, end, 2))
        wait(60, lambda: current(out) == backfilled(tmp_path, events))
        publish(topic, bodies([*late, *too_late, events[3]]))
        wait(60, lambda: {row["reason"] for row in table(out, "rejects").to_pylist()} == {"not_json", "late"})
        wait(60, lambda: current(out) == backfilled(tmp_path, events + late))
        letters = [one.message for one in pubsub.pull(dead, 30)]
    # An emulator may deliver a message twice, of which Dataflow would remove the copy.
    assert {(one.data, one.attributes["trueup_reason"]) for one in letters} == {(b"{broken", "not_json")}
    assert len({one.attributes["trueup_message"] for one in letters}) == 1
    assert {"first", "late"} <= {row["cause"] for row in revisions(out)} <= {"first", "progress", "late"}


def test_a_stream_goes_on_from_a_backfill_for_which_its_ledger_waits(pubsub: Emulator, tmp_path: Path) -> None:
    topic, subscription = pubsub.open(f"dataflow-{uuid.uuid4().hex}")
    end, out, policy = hour(), tmp_path / "out", Policy()
    events = recent(list(two_days("abc")), end)
    cut = end - DAY  # an outage is open there
    early, later = between(events, 0, cut), between(events, cut, end)
    path = write_events(tmp_path / "early.jsonl", early)
    assert trueup("backfill", "--input", path, "--output", out).status == 0
    publish(topic, bodies([*later, signal(0, "9", "Unavailable", event_id="old") | {"time": end - 2 * DAY + HOUR}]))
    known = BackfilledSets(str(out), policy.hash, policy.grid, 4, mark="")
    with natively_elsewhere(told(subscription, out, resume=True), tmp_path, known):
        wait(180, lambda: reaches(out, end, 3))
        wait(60, lambda: current(out) == backfilled(tmp_path, events))
        wait(60, lambda: [row["reason"] for row in table(out, "rejects").to_pylist()] == ["late"])
    assert "backfill" in {row["cause"] for row in revisions(out)} <= {"backfill", "first", "progress"}


def between(events: list[Event], since: int, until: int) -> list[Event]:
    return [event for event in events if since <= event["time"] < until]
