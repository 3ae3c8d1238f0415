"""Leases of messages: kept alive while they are outstanding, then acknowledged or given back, by one thread of a process."""

import threading
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final, NamedTuple

from transforms.counters import LIVE

_TURN: Final = 0.1
"""Seconds between two looks."""
_MANY: Final = 1000
"""Ids in one request: the service takes half a megabyte."""
_PATIENCE: Final = 10.0
"""Seconds for one request; one that fails is not repeated, since its messages come again by themselves."""
LONGEST: Final = 900.0
"""Seconds after which a lease is kept alive no more: whoever took the message is gone, and another must get it."""


class _Lease(NamedTuple):
    due: float
    """When it is to be extended."""
    until: float


class Leases:
    """The leases that a process holds on messages of one subscription."""

    def __init__(self, client: Any, subscription: str, lease: float, first: float) -> None:
        """`lease`: seconds asked for at each extension; `first`: seconds that the subscription gives at delivery."""
        self._client, self._subscription, self._lease, self._first = client, subscription, lease, first
        self._looked = 0.0
        self._held: dict[str, _Lease] = {}
        self._done: list[str] = []
        self._returned: list[str] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)
        self._thread.start()

    def hold(self, ids: Iterable[str]) -> None:
        """Keeps these leases alive from now on; a longer one is shortened, for who dies leaves it to nobody."""
        now = time.monotonic()
        due = now + self._first / 2 if self._first <= self._lease else now
        with self._lock:
            self._held.update(dict.fromkeys(ids, _Lease(due, now + LONGEST)))

    def acknowledge(self, ids: list[str]) -> None:
        """Has these messages acknowledged soon."""
        with self._lock:
            self._let_go(ids)
            self._done += ids

    def give_back(self, ids: list[str]) -> None:
        """Has these messages delivered again soon."""
        with self._lock:
            self._let_go(ids)
            self._returned += ids

    @property
    def pending(self) -> int:
        """How many acknowledgements have not been sent yet."""
        return len(self._done)

    def end(self) -> None:
        """Sends what is to be sent, and gives back what is still held."""
        with self._lock:
            self._returned += self._held
            self._held = {}
        self._ended.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _let_go(self, ids: list[str]) -> None:
        for one in ids:
            self._held.pop(one, None)

    def _keep(self) -> None:
        ended = False
        while not ended:
            ended = self._ended.wait(_TURN)
            self._send(self._taken("_done"), self._client.acknowledge, {})
            self._send(self._taken("_returned"), self._client.modify_ack_deadline, {"ack_deadline_seconds": 0})
            if not ended:
                self._send(self._extended(), self._client.modify_ack_deadline, {"ack_deadline_seconds": round(self._lease)})

    def _taken(self, name: str) -> list[str]:
        with self._lock:
            ids: list[str] = getattr(self, name)
            setattr(self, name, [])
        return ids

    def _extended(self) -> list[str]:
        now = time.monotonic()
        if now < self._looked + min(self._first, self._lease) / 10:
            return []  # each look is one at all of them
        self._looked = now
        with self._lock:
            due = {one: lease for one, lease in self._held.items() if lease.due <= now}
            kept = {one: lease._replace(due=now + self._lease / 2) for one, lease in due.items() if lease.until > now}
            self._held.update(kept)
            for one in due.keys() - kept.keys():
                del self._held[one]
        return list(kept)

    def _send(self, ids: list[str], call: Callable[..., object], more: dict[str, int]) -> None:
        rest = iter(ids)
        while some := list(islice(rest, _MANY)):
            try:
                call(request={"subscription": self._subscription, "ack_ids": some, **more}, timeout=_PATIENCE)
            except Exception:  # whatever it is, this thread must go on
                LIVE["source/failed_requests"] += 1
                if self._ended.is_set():
                    return  # a server that is gone would hold up the end for as many requests as there are
