"""Programs as processes that may be killed, without what it takes to start them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from runners.process.children import ending_with_parent

ROOT = Path(__file__).parents[2]
_SERVER = """
import json, os, sys
exec(sys.argv[1])
for line in sys.stdin:
    program, arguments, environment, *streams = json.loads(line)
    if not (run := os.fork()):
        break
    print(os.waitstatus_to_exitcode(os.waitpid(run, 0)[1]), flush=True)
else:
    sys.exit()
os.environ |= environment
for number, path in enumerate(streams, 1):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
sys.argv[1:] = arguments
exec(program)
"""


class Ended(NamedTuple):
    """How a program has ended, and what it said."""

    status: int
    """Below 0: the signal that killed it."""
    out: str
    err: str


Run = Callable[..., Ended]


@contextmanager
def forks(imports: str) -> Iterator[Run]:
    """Gives `run(program, *arguments, **environment)`, which runs a Python program in a fork of a process that has some imports
    done: those of Beam take longer than most of what is tested."""
    command = [sys.executable, "-c", _SERVER, imports]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(ending_with_parent(command), cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process,
    ):

        def run(program: str, *arguments: object, **environment: str) -> Ended:
            streams = [Path(folder, name) for name in ("out", "err")]
            line = json.dumps([program, [*map(str, arguments)], environment, *map(str, streams)])
            assert process.stdin is not None
            assert process.stdout is not None
            print(line, file=process.stdin, flush=True)
            return Ended(int(process.stdout.readline()), *(stream.read_text() for stream in streams))

        try:
            yield run
        finally:
            process.kill()
