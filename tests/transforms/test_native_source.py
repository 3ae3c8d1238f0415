"""Messages as Dataflow's own source hands them over: decoded together, with a copy of what could not be; and what comes first."""

from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.utils.timestamp import Timestamp

from schemas.policy import Policy
from schemas.time import HOUR
from tests.support.build import at, down, signal, to_batch, up
from tests.support.graph import ledger_settings
from tests.support.keeping import Disk, State
from tests.support.live import bodies
from transforms.core.decode import DecodeSettings
from transforms.core.decode.messages import decode_messages
from transforms.core.ledger.decisions import LedgerInput, input_of_events
from transforms.decode import REJECTED
from transforms.ledger import Keep
from transforms.subscription.native import DEAD, DecodeMessages, HandOver, PubsubMessageCoder, dead_letters
from transforms.subscription.recalled import NothingRecalled
from transforms.subscription.source import SubscriptionSettings

NOW = at(48 * 3600)
DECODE = DecodeSettings(Policy(), NOW)
SETTINGS = SubscriptionSettings("projects/p/subscriptions/s", DECODE, clock=lambda: NOW)
LARGEST = 9_800_000


def message(number: int, data: bytes, **attributes: str) -> PubsubMessage:
    return PubsubMessage(data, attributes, str(number))


def rejects_of(*given: PubsubMessage) -> pa.RecordBatch:
    return decode_messages([(one.message_id, one.data) for one in given], "s", DECODE).rejects


def dead_of(one: PubsubMessage) -> list[PubsubMessage]:
    return [each.value for each in dead_letters({one.message_id: one}, rejects_of(one))]


def test_messages_are_decoded_and_what_is_rejected_is_copied_with_the_reason() -> None:
    good, broken = bodies([*up(0, "1"), *down(10, "1")]), message(3, b"{broken", source="x")
    given = [message(1, good[0]), broken, message(2, good[1])]
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        messages = pipeline | beam.Create(given).with_output_types(PubsubMessage)
        found = messages | beam.ParDo(DecodeMessages(SETTINGS)).with_outputs(REJECTED, DEAD, main="events")
        assert_that(found["events"] | beam.Map(len), equal_to([2]), "one batch")
        rejected = found[REJECTED] | beam.Map(lambda batch: (batch["location"].to_pylist(), batch["reason"].to_pylist()))
        assert_that(rejected, equal_to([(["3"], ["not_json"])]), "rejects")
        dead = found[DEAD] | beam.Map(lambda one: (one.data, one.attributes["trueup_reason"], one.attributes["source"]))
        assert_that(dead, equal_to([(b"{broken", "not_json", "x")]), "dead")


def test_a_message_with_several_rejects_is_copied_once() -> None:
    (dead,) = dead_of(message(7, b'[{"kind": "x"}, {"kind": "y"}, 1]'))
    assert dead.attributes["trueup_message"] == "7"


@pytest.mark.parametrize("beyond", [0, 1])
def test_what_would_not_fit_into_a_message_any_more_is_not_copied(beyond: int) -> None:
    assert len(dead_of(message(1, b"{" + b" " * (LARGEST - 1 + beyond)))) == 1 - beyond


@pytest.mark.parametrize("beyond", [0, 1])
def test_attributes_of_which_there_are_too_many_are_left_out(beyond: int) -> None:
    (dead,) = dead_of(message(1, b"{", **{f"a{number}": "x" for number in range(97 + beyond)}))
    assert len(dead.attributes) == (3 if beyond else 100)
    dead._to_proto_str(for_publish=True)  # where Beam looks at its limits


def test_a_message_keeps_all_that_it_has_when_it_is_coded() -> None:
    coder = PubsubMessageCoder()
    whole = PubsubMessage(b"data", {"a": "b"}, "12", None, "key")
    found = coder.decode(coder.encode(whole))
    assert vars(found) | {"publish_time": None} == vars(whole)


def test_every_key_is_handed_something_over() -> None:
    found = [each.value for each in HandOver(NothingRecalled(), 3).process(b"")]
    assert sorted(key for key, _ in found) == ["0", "1", "2"]
    assert all(given.recalled and given.standing.is_empty for _, given in found)


class Waiting:
    """A ledger on Dataflow, of one key."""

    def __init__(self, now: int = NOW, **more: Any) -> None:
        self.keep, self.state = Keep(ledger_settings(now, Policy(), can_drain=True, **more)), State()
        self.keep.start_bundle()

    def enter(self, given: LedgerInput) -> list[str]:
        """What is published then: the cause of each version."""
        return self.causes(self.keep.process(("0", given), timer=self.state.timer, **self.state.cells))

    def fire(self) -> list[str]:
        """What the timer leads to."""
        due, self.state.timer.due = self.state.timer.due, None
        assert due is not None
        return self.causes(self.keep.at_grid_end("0", Timestamp(micros=due), timer=self.state.timer, **self.state.cells))

    def causes(self, given: Any) -> list[str]:
        return [row["cause"] for each in given for row in each.revisions.to_pylist()]


def test_events_wait_for_what_is_recalled_and_then_go_on_from_it() -> None:
    disk = Disk(groups=1)
    disk.backfill(up(0, None, "1", "2"), Policy(), at(5 * 3600))
    later = input_of_events(to_batch([signal(5 * 3600 + 10, "1", "Unavailable")]), None)
    waiting, warm = Waiting(awaits_recalled=True), Waiting()
    assert waiting.enter(later) == []
    assert waiting.enter(later) == []
    assert warm.enter(disk.recalled("0")) == []
    expected = warm.enter(later)
    assert waiting.enter(disk.recalled("0")) == expected != []
    assert waiting.state.cells["notes"].read().known == warm.state.cells["notes"].read().known
    assert waiting.enter(disk.recalled("0")) == []  # once more, as where a bundle is run again


def test_a_key_of_which_nothing_is_recalled_begins_then() -> None:
    waiting = Waiting(awaits_recalled=True)
    assert waiting.enter(input_of_events(to_batch(up(0, "1")), None)) == []
    ((_, nothing),) = (each.value for each in HandOver(NothingRecalled(), 1).process(b""))
    assert waiting.enter(nothing) == ["first"]
    assert waiting.enter(input_of_events(to_batch(down(60, "1")), None)) == ["progress"]


@pytest.mark.parametrize("over", [True, False])
def test_a_drain_leaves_what_is_not_over_a_preview(over: bool) -> None:
    end = at(3600)
    now = end - Policy().skew - (0 if over else 1)
    ledger = Waiting(now)
    assert ledger.enter(input_of_events(to_batch(up(0, "1")), None)) == ["first"]
    ledger.fire()
    fired = ledger.state.cells["notes"].read().fired
    assert fired == (end if over else None)
    assert ledger.state.timer.due == (end + HOUR if over and end + HOUR <= now + HOUR else None)
