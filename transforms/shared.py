"""What the steps of one process share. Beam pickles steps, so they carry a name, and find here what is entered under it."""

import threading
from collections.abc import Callable
from typing import Any, Final

_ENTERED: Final[dict[str, Any]] = {}
_LOCK: Final = threading.RLock()


def enter(name: str, thing: object) -> None:
    """Enters something under a name that nothing else has."""
    with _LOCK:
        _ENTERED[name] = thing


def entered(name: str, make: Callable[[], object] | None = None) -> Any:
    """What is entered under a name; if nothing is, what `make` makes, from now on; None if it is not given."""
    with _LOCK:
        if make is not None and name not in _ENTERED:
            _ENTERED[name] = make()
        return _ENTERED.get(name)


def leave(name: str) -> Any:
    """Removes what is entered under a name, and gives it; None if nothing is."""
    with _LOCK:
        return _ENTERED.pop(name, None)
