"""What simulated operations do to machines, and that their records say the same when they are decoded."""

import json
from collections.abc import Callable

import pytest

from pipelines.simulate.fleet.history import History, Operation
from pipelines.simulate.fleet.machines import DELETE, OFF
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.operations import effects as operations
from pipelines.simulate.records.activity_log import ActivityLog
from pipelines.simulate.records.delivery import Post
from pipelines.simulate.records.event_grid import EventGrid
from pipelines.simulate.records.records import send_records
from schemas.time import NEVER
from tests.support.simulated import END, START, at, decoded, history, placed

SEEDS = range(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_scale_in_by_autoscale_is_announced_with_its_count_and_names_nobody(seed: int) -> None:
    made = history(seed=seed)
    operations.scale_in(made, at(100), made.machines[:2], "autoscale")
    announced, update = made.operations
    assert (announced.verb, announced.capacity, announced.names, announced.end) == ("scale_in", (4, 2), (), announced.start)
    assert (update.verb, update.target, update.initiator) == ("update", "unnamed", "autoscale")
    assert [machine.gone for machine in made.machines[2:]] == [NEVER] * 2
    assert all(machine.spells[-1].cause == DELETE for machine in made.machines[:2])
    assert len(made.present(at(1000))) == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_a_scale_in_by_a_customer_names_its_machines_unless_that_is_masked(seed: int) -> None:
    made = history(seed=seed)
    operations.scale_in(made, at(100), made.machines[:2], "customer")
    (told,) = made.operations
    assert told.names == (() if told.masked else ("0", "1"))


@pytest.mark.parametrize("seed", SEEDS)
def test_machines_of_a_flexible_set_are_deleted_one_by_one(seed: int) -> None:
    made = history(seed=seed, flexible=True)
    operations.scale_in(made, at(100), made.machines[:2], "customer")
    assert [(each.machine, each.names) for each in made.operations] == [(m.name, (m.name,)) for m in made.machines[:2]]


@pytest.mark.parametrize("seed", SEEDS)
def test_new_machines_come_up_before_or_soon_after_the_operation_ends(seed: int) -> None:
    made = history(seed=seed)
    machines = operations.create(made, at(100), 3, "autoscale")
    assert len(made.machines) == 7
    up = max(machine.spells[0].end for machine in machines)
    ends = [each.end for each in made.operations if each.verb == "update" and each.end is not None]
    assert all(abs(end - up) < 100 * 10**6 for end in ends)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_deallocated_is_off_until_it_is_started(seed: int) -> None:
    made = history(seed=seed)
    operations.stop(made, at(100), made.idle(at(100)), everything=True)
    assert made.idle(at(5000)) == []
    assert len(made.off()) == 4
    operations.start(made, at(9000), made.off(), everything=True)
    assert made.off() == []
    assert all([spell.cause for spell in machine.spells][:2] == [OFF, "start"] for machine in made.machines)
    assert {each.target for each in made.operations if each.carrier == "administrative"} == {"all"}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_upgrade_takes_every_machine_down_once_and_a_few_at_a_time(seed: int) -> None:
    made = history(machines=10, seed=seed)
    operations.upgrade(made, at(100))
    downs = [next(spell for spell in machine.spells if spell.cause == "upgrade") for machine in made.machines]
    assert max(sum(one.start <= other.start < one.end for one in downs) for other in downs) <= 2
    assert all(machine.busy >= downs[0].end for machine in made.machines)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_deleted_set_leaves_nothing_and_lets_nothing_more_happen(seed: int) -> None:
    made = history(seed=seed)
    operations.upgrade(made, at(100))
    operations.delete_set(made, at(200))
    assert all(machine.gone <= made.deleted + 5 * 10**6 for machine in made.machines)
    assert all(one.end <= other.start for m in made.machines for one, other in zip(m.spells[:-1], m.spells[1:], strict=True))
    assert made.operations[-1].everything


def test_operations_that_should_bring_machines_up_sometimes_do_not() -> None:
    made = history(machines=4000)
    for machine in made.machines:
        operations.bring_up(made, machine, at(0), at(100), "restart")
    failed = [machine for machine in made.machines if len(machine.spells) == 2]
    assert len(failed) / 4000 == pytest.approx(operations.FAILED_RETURNS, rel=0.4)
    assert all(machine.spells[1].start == at(100) and machine.busy == machine.spells[1].end for machine in failed)


ACTS: dict[str, Callable[[History], None]] = {
    "create": lambda made: (operations.create(made, at(9), 2, "autoscale"), None)[1],
    "scale_in": lambda made: operations.scale_in(made, at(9), made.machines[:2], "autoscale"),
    "delete": lambda made: operations.scale_in(made, at(9), made.machines[:2], "customer"),
    "evict": lambda made: operations.evict(made, at(9), made.machines[0]),
    "deallocate": lambda made: operations.stop(made, at(9), made.machines, everything=True),
    "deallocate some": lambda made: operations.stop(made, at(9), made.machines[:2], everything=False),
    "power off": lambda made: operations.stop(made, at(9), made.machines, everything=True, verb="stop"),
    "touch": lambda made: operations.update_nothing(made, at(9)),
    "upgrade": lambda made: operations.upgrade(made, at(9)),
    "restart": lambda made: operations.renew(made, at(9), made.machines[0], "restart"),
    "reimage": lambda made: operations.renew(made, at(9), made.machines[0], "reimage"),
    "redeploy": lambda made: operations.renew(made, at(9), made.machines[0], "redeploy"),
    "maintain": lambda made: operations.maintain(made, at(9), made.machines[0]),
    "delete set": lambda made: operations.delete_set(made, at(9)),
    "fail": lambda made: operations.fail(made, at(9)),
}


@pytest.mark.parametrize("subscription", [0, 1])
@pytest.mark.parametrize("flexible", [False, True])
@pytest.mark.parametrize("act", ACTS)
def test_records_say_what_the_truth_says_of_an_operation(act: str, flexible: bool, subscription: int) -> None:
    made = history(flexible=flexible, subscription_number=subscription)
    ACTS[act](made)
    events, rejects = decoded(made, placed(made))
    assert rejects == []
    told = {
        (e["verb"], e["initiator"], e["target"], *sorted(e["instance_ids"] or ())) for e in events if e["kind"] == "operation"
    }
    assert told == {(o.verb, o.initiator, o.target, *sorted(name.casefold() for name in o.names)) for o in made.operations}
    times = {event["time"].timestamp() for event in events if event["kind"] == "operation"}
    assert {o.start / 1e6 for o in made.operations if o.opened} <= times
    assert {o.end / 1e6 for o in made.operations if o.end is not None} <= times


def test_the_end_of_an_operation_is_told_twice_in_one_of_the_subscriptions_by_the_same_key() -> None:
    made = history(subscription_number=2)
    made.record(Operation("administrative", "upgrade", "osRollingUpgrade/action", at(9), at(90), correlation="c"))
    events, _ = decoded(made)
    ends = [event for event in events if event["phase"] == "succeeded"]
    assert [event["time"].timestamp() for event in ends] == [at(90) / 1e6] * 2
    assert len({event["operation_key"] for event in events}) == 1
    assert len({event["event_id"] for event in events}) == 4


@pytest.mark.parametrize(
    ("ended", "opened", "phases"),
    [
        (True, True, ["progress", "started", "succeeded"]),
        (False, True, ["progress", "started"]),
        (True, False, ["succeeded"]),
    ],
)
def test_a_record_that_is_lost_is_not_sent(ended: bool, opened: bool, phases: list[str]) -> None:
    made = history()
    end = at(90) if ended else None
    made.record(Operation("administrative", "upgrade", "osRollingUpgrade/action", at(9), end, opened=opened, correlation="c"))
    assert sorted(event["phase"] for event in decoded(made)[0]) == phases


def test_a_masked_body_names_nobody() -> None:
    made = history()
    made.record(Operation("administrative", "delete", "delete/action", at(9), at(90), masked=True, correlation="c"))
    post = Post(Draws("post"), 0)
    send_records(made, [], [], post, Draws("records"))
    assert any('"requestbody":"******"' in delivery.text for delivery in post.deliveries)
    assert {event["target"] for event in decoded(made)[0]} == {"unnamed"}


def test_an_operation_that_begins_after_the_end_is_not_kept() -> None:
    made = history()
    operations.fail(made, END + 10**9)
    assert made.operations == []


def test_personal_data_is_in_the_records_to_be_left_out() -> None:
    made = history()
    operations.upgrade(made, at(9))
    post = Post(Draws("post"), 0)
    log = ActivityLog(made.scale_set, Draws("a"), post, EventGrid(made.scale_set, Draws("b"), post))
    log.operation(made.operations[0])
    assert "dana.example@example.com" in json.dumps([delivery.text for delivery in post.deliveries])
    assert post.deliveries[0].arrival > START
