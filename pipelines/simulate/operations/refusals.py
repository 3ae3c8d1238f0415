"""Requests that are refused at once, mostly because another operation is at work (409), and are made again."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from pipelines.simulate.fleet.fleet import WEB
from pipelines.simulate.fleet.history import History
from pipelines.simulate.fleet.machines import Machine
from pipelines.simulate.operations import effects as operations
from pipelines.simulate.operations.agenda import Agenda
from pipelines.simulate.operations.telling import tell
from schemas.time import NEVER

_MOST_TRIES: Final = 6
_GRANTED: Final = 0.7
"""Of the requests, those that are granted in the end; of the others nobody asks again."""


class Request(NamedTuple):
    """A request to a set, and what it does once it is granted."""

    verb: str
    native: str
    machines: tuple[Machine, ...]
    """Those that it names; none: it is about the set."""
    grant: Callable[[int], None]


def make_refused_requests(agenda: Agenda, history: History, time: int) -> None:
    """Makes a request that is refused, and repeats it until it is granted or given up."""
    _ask(agenda, history, _draw_request(history, time), 1 + int(history.draws.random.integers(_MOST_TRIES)), time)


def _ask(agenda: Agenda, history: History, request: Request, refusals: int, time: int) -> None:
    if history.deleted != NEVER:
        return
    if refusals:
        refuse(history, time, request)
        agenda.add(time + history.draws.span(15, 90), partial(_ask, agenda, history, request, refusals - 1))
    elif history.draws.chance(_GRANTED):
        request.grant(time)


def _draw_request(history: History, time: int) -> Request:
    """A request that somebody might make of a set now."""
    idle, draws = history.idle(time), history.draws
    requests = [_update(history)]
    if idle:
        requests += [_renewal(history, draws.pick(idle)), _upgrade(history)]
    if len(idle) > 2 and history.scale_set.kind == WEB:
        requests.append(_deletion(history, draws.pick(idle)))
    return draws.pick(requests)


def refuse(history: History, time: int, request: Request) -> None:
    """Refuses a request within a second: it is never accepted, and touches nothing."""
    draws = history.draws
    refused: dict[str, Any] = {"succeeded": False, "accepted": False}
    if not request.machines:
        tell(history, request.verb, request.native, time, time + draws.span(0.1, 1.0), **refused)
    for machine in request.machines:
        alone = history.scale_set.flexible or request.verb != "delete"
        whom = {"machine": machine.name} if alone else {"names": (machine.name,)}
        native = "delete" if alone and request.verb == "delete" else request.native
        tell(history, request.verb, native, time, time + draws.span(0.1, 1.0), **whom, **refused)


def _update(history: History) -> Request:
    return Request("update", "write", (), lambda time: operations.update_nothing(history, time))


def _upgrade(history: History) -> Request:
    def grant(time: int) -> None:
        if history.idle(time):
            operations.upgrade(history, time)

    return Request("upgrade", "osRollingUpgrade/action", (), grant)


def _renewal(history: History, machine: Machine) -> Request:
    verb = history.draws.pick(("restart", "reimage"))

    def grant(time: int) -> None:
        if machine.is_idle(time):
            operations.renew(history, time, machine, verb)

    return Request(verb, f"{verb}/action", (machine,), grant)


def _deletion(history: History, machine: Machine) -> Request:
    def grant(time: int) -> None:
        if machine.is_idle(time):
            operations.scale_in(history, time, [machine], "customer")

    return Request("delete", "delete/action", (machine,), grant)
