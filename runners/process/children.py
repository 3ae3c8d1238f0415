"""Programs that this one starts and that end with it."""

import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from pipelines.failures import RunError

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


def wait_for_port(process: "subprocess.Popen[Any]", port: int, what: str, seconds: float) -> None:
    """Waits until a program that was started listens on a port of this machine.

    Args:
        process: the program.
        port: the port.
        what: the sentence's beginning if it does not: "PrismRunner: a prism".
        seconds: how long it may take.

    Raises:
        RunError: it has ended, or its time is over.
    """
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    ended = process.poll()
    raise RunError(f"{what} that answers is required, {'it does not' if ended is None else f'it ended with status {ended}'}.")
