"""Programs that this one starts and that end with it."""

import sys
from collections.abc import Sequence
from typing import Final

_PREPARED: Final = (
    "import ctypes, os, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG\n"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


def ending_with_parent(command: Sequence[str]) -> list[str]:
    """A command that is killed when the process ends that starts it, also if that is killed itself; on Linux.

    By way of a Python that prepares and becomes the command: Python code between fork and exec would do it with one process less,
    but makes gRPC close what its threads wait on, and then the whole program ends now and then (seen with grpcio 1.85:
    "epoll_wait error: Bad file descriptor", SIGABRT).
    """
    return [sys.executable, "-I", "-S", "-c", _PREPARED, *command] if sys.platform == "linux" else list(command)
