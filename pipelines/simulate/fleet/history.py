"""The history of one scale set: its machines, and the operations on them."""

from dataclasses import dataclass, field
from typing import Literal

from pipelines.simulate.fleet.fleet import ScaleSet
from pipelines.simulate.fleet.machines import Machine
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.given.settings import SimulationSettings
from schemas.time import NEVER

Carrier = Literal["administrative", "autoscale", "annotation"]


@dataclass(frozen=True)
class Operation:
    """One operation as its records show it. Times in microseconds, by the clock of whoever records them."""

    carrier: Carrier
    verb: str
    native: str
    """What the record calls it: the end of an operation's name, Scaleup or Scaledown, or an annotation."""
    start: int
    end: int | None
    """None: no record tells of its end."""
    names: tuple[str, ...] = ()
    """Machines that the record names."""
    everything: bool = False
    """The record says that it is about all machines."""
    machine: str | None = None
    """The machine that is the record's resource; None: the set is."""
    initiator: str = "customer"
    succeeded: bool = True
    capacity: tuple[int, int] | None = None
    """Instances before and after, where the record says so."""
    opened: bool = True
    """Whether a record tells of its beginning."""
    masked: bool = False
    """The body of the request is hidden."""
    bare: bool = False
    """The request has no body: whoever asked meant the set as it is."""
    accepted: bool = True
    """Whether a record tells that it was accepted; what is refused at once never is."""
    late: bool = False
    """Its end is told when nobody waits for it any more, and does not repeat whom it is about."""
    correlation: str = ""

    @property
    def target(self) -> str:
        """What the records say of its target: named, all or unnamed."""
        return "all" if self.everything else "named" if self.names else "unnamed"


@dataclass
class History:
    """What happens to one scale set from `start` to `end`."""

    scale_set: ScaleSet
    start: int
    end: int
    draws: Draws
    hosts: int
    settings: SimulationSettings
    machines: list[Machine] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    deleted: int = NEVER
    """From then on the whole set is gone."""

    def idle(self, time: int) -> list[Machine]:
        """Machines that exist and that no operation is working on."""
        return [machine for machine in self.machines if machine.is_idle(time)]

    def present(self, time: int) -> list[Machine]:
        """Machines that were asked for, exist, and are not switched off."""
        wanted = [machine for machine in self.machines if not machine.surplus]
        return [machine for machine in wanted if machine.born <= time < machine.gone and not machine.is_off()]

    def off(self) -> list[Machine]:
        """Machines that are switched off."""
        return [machine for machine in self.machines if machine.is_off() and machine.gone == NEVER]

    def new_machine(self, born: int) -> Machine:
        """Adds a machine."""
        number = len(self.machines)
        name = f"{self.scale_set.name}_{self.draws.guid()[:8]}" if self.scale_set.flexible else str(number)
        machine = Machine(name, int(self.draws.random.integers(self.hosts)), born)
        self.machines.append(machine)
        return machine

    def record(self, operation: Operation) -> None:
        """Adds an operation to the history, unless it begins after its end."""
        if operation.start < self.end:
            self.operations.append(operation)
