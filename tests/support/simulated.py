"""Simulated scale sets for tests: small, and where all that is random but what a test is about is left out."""

from typing import Any

from pipelines.simulate.fleet.fleet import STEADY, ScaleSet
from pipelines.simulate.fleet.history import History
from pipelines.simulate.fleet.machines import Machine, Spell
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.given.settings import SimulationSettings
from pipelines.simulate.records.delivery import Post
from pipelines.simulate.records.records import send_records
from schemas.azure.inventory import Inventory, inventory_of
from schemas.policy import Policy
from schemas.time import DAY, HOUR, SECOND
from transforms.core.decode import DecodeSettings, decode_records

START = 20_000 * DAY
END = START + DAY


CALM = SimulationSettings(lost_end_share=0, late_end_share=0, silent_share=0)


def scale_set(**fields: Any) -> ScaleSet:
    """A Uniform set of four machines that nobody scales."""
    same = {"number": 0, "kind": STEADY, "size": 4, "flexible": False, "spot": False, "deletes_evicted": True}
    same |= {
        "reports_itself": True,
        "peak": 14.0,
        "subscription": "5e1f0000-0000-4000-8000-00000000000a",
        "subscription_number": 0,
    }
    return ScaleSet(**{**same, **fields})


def history(machines: int = 4, seed: int = 0, **fields: Any) -> History:
    """A day of a set with machines that have been there for an hour."""
    made = History(scale_set(**fields), START, END, Draws("test", seed), 2, CALM)
    for _ in range(machines):
        made.new_machine(START - HOUR)
    return made


def spell(start: float, end: float, truth: str, cause: str, asked: float | None = None) -> Spell:
    """A spell in seconds from START."""
    more = {} if asked is None else {"asked": at(asked)}
    return Spell(at(start), at(end), truth, cause, **more)


def machine(*spells: Spell, gone: float | None = None) -> Machine:
    """A machine with spells."""
    made = Machine("0", 0, START - HOUR, spells=list(spells))
    if gone is not None:
        made.gone = at(gone)
    return made


def at(seconds: float) -> int:
    """Microseconds of a second, counted from START."""
    return START + round(seconds * SECOND)


def decoded(made: History, inventory: Inventory | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Events and rejects of all that is told of a history."""
    post = Post(Draws("post"), 0)
    send_records(made, [], [], post, Draws("records"))
    texts = [delivery.text.encode() for delivery in post.deliveries]
    found = decode_records(texts, "test", 1, DecodeSettings(Policy(), END + DAY, inventory))
    return found.events.to_pylist(), found.rejects.to_pylist()


def placed(made: History) -> Inventory | None:
    """The inventory of a Flexible set's machines; a Uniform one needs none."""
    its = made.scale_set
    rows = [{"vm_id": its.machine_id(machine.name), "scale_set_id": its.resource_id} for machine in made.machines]
    return inventory_of([("row", row) for row in rows]) if its.flexible else None
