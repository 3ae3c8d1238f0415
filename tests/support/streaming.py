"""`trueup stream` as a process of its own, and messages for it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from runners.engines.pubsub import publisher
from runners.process.children import ending_with_parent

ROOT = Path(__file__).parents[2]
_MANY = 1000


class Running(NamedTuple):
    """A stream that runs, and the file in which it tells what it counts."""

    process: "subprocess.Popen[str]"
    told: Path
    said: Path
    """What it says on standard error."""

    def counts(self) -> dict[str, int]:
        """What it has counted so far; nothing before it has begun."""
        return dict(json.loads(self.told.read_text())) if self.told.exists() else {}

    def check(self) -> None:
        """Makes sure that it still runs."""
        status = self.process.poll()
        assert status is None, f"the stream has ended by itself, {status}: {self.said.read_text()[-5_000:]}"


@contextmanager
def observed(subscription: str, out: Path, *options: str) -> Iterator[Running]:
    """A stream that tells what it counts, while the block runs."""
    told, said = out.with_suffix(".counts"), out.with_suffix(".said")
    told.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.support.observed", str(told), "stream", "--subscription", subscription]
    with open(said, "w") as err:
        process = subprocess.Popen(
            ending_with_parent([*command, "--output", str(out), *options]),
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1"},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=err,
            text=True,
        )
    try:
        yield Running(process, told, said)
    finally:
        process.kill()
        process.communicate()


def send_many(topic: str, bodies: Sequence[bytes]) -> None:
    """Publishes messages, a thousand a request; all have arrived when it returns."""
    from google.pubsub_v1.types import PublishRequest, PubsubMessage

    client, request, message = publisher(), PublishRequest.pb(), PubsubMessage.pb()
    rest = iter(bodies)
    while some := list(islice(rest, _MANY)):
        # Plain protobuf: its wrapper costs 20 us a message.
        given = PublishRequest.wrap(request(topic=topic, messages=[message(data=body) for body in some]))
        client.publish(request=given, timeout=60.0, retry=None)
