"""The README's stream: its commands as they stand there, against the real emulator and Prism."""

import os
import re
import signal as signals
import subprocess
import sys
from pathlib import Path

import pytest

from runners.engines.prism import local_binary
from schemas.time import format_time
from tests.support.emulator import Emulator, missing
from tests.support.files import current
from tests.support.live import revisions, wait

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text().split("\n## As it happens\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"^```shell\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.depends_on_speed("rows must come within the minute that a reader waits"),
]


def verdict(out: Path) -> list[str]:
    """Of the outage of which the text speaks."""
    rows = current(out)["attributions"]
    its = [row for row in rows if row["scale_set_id"].endswith("/batch-2") and row["instance_id"] == "2"]
    return [row["verdict"] for row in its if format_time(row["start"]).startswith("2026-06-01T13:02:")]


def sets(out: Path) -> set[str]:
    """The scale sets of which anything is published."""
    return {row["scale_set_id"] for row in revisions(out)}


def test_the_stream_of_the_text_does_what_it_says(pubsub: Emulator, tmp_path: Path) -> None:
    if local_binary() is None:
        missing("Prism: `go install` it at Beam's version (.ci/tools does), or let TRUEUP_PRISM name it")
    program = tmp_path / "trueup"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from runners.cli import main; main()" "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    surroundings = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    address, *commands, stream = BLOCKS[0].strip().splitlines()
    assert address == "export PUBSUB_EMULATOR_HOST=localhost:8085"
    subprocess.run(["bash", "-euc", "trueup demo > /dev/null"], cwd=tmp_path, env=surroundings, check=True, timeout=120)
    subprocess.run(["bash", "-euc", "\n".join(commands)], cwd=tmp_path, env=surroundings, check=True, timeout=60)
    with subprocess.Popen(["bash", "-c", f"exec {stream}"], cwd=tmp_path, env=surroundings) as process:
        try:
            # Of each set the hours up to its last event: those of quiet sets come when time runs on to the present.
            wait(60, lambda: len(sets(tmp_path / "live")) == 4 and verdict(tmp_path / "live") == ["unexplained"])
            subprocess.run(["bash", "-euc", BLOCKS[1]], cwd=tmp_path, env=surroundings, check=True, timeout=60)
            wait(60, lambda: verdict(tmp_path / "live") == ["explained"])
            process.send_signal(signals.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()
