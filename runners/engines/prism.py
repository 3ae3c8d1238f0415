"""Prism, Beam's local streaming runner, as a child process that ends with this one."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.prism_runner import PrismJobServer

from pipelines.failures import RunError
from runners.process.children import ending_with_parent, wait_for_port

_STARTED: Final = 60.0
"""Seconds in which it must answer."""
_FOR_EVER: Final = 10 * 365 * 24 * 3600
"""Seconds for which Beam listens to a job. By default five minutes, behind which a stream would be taken for one that ended."""
_WHOLE_BUNDLES: Final = "prism_disable_sdf_split"
"""Asks Prism to split no bundle. It would split any that is slow, also of a stateful step: the keys behind the split then go on
in another bundle, and when the first one ends, it puts back the state that these keys had when it began
(engine/elementmanager.go, splitBundle and PersistBundle): what was done to them in the meantime is lost."""


def local_binary() -> str | None:
    """The path of a local Prism: from TRUEUP_PRISM, the PATH, or the folder where Go installs programs; None if there is none."""
    named = os.environ.get("TRUEUP_PRISM")
    if named:
        if not os.access(named, os.X_OK):
            raise RunError(f"TRUEUP_PRISM: an executable file is required, got {named}.")
        return named
    return shutil.which("prism") or next((str(path) for path in _of_go() if os.access(path, os.X_OK)), None)


def _of_go() -> list[Path]:
    places = os.environ.get("GOPATH", "").split(os.pathsep) if os.environ.get("GOPATH") else [str(Path.home() / "go")]
    return [Path(place) / "bin" / "prism" for place in places]


@contextmanager
def prism(folder: str, options: Sequence[str]) -> Iterator[list[str]]:
    """Runs Prism for the duration of the block; yields the options with which a pipeline connects to it.

    Args:
        folder: where its log goes.
        options: the user's, among which `--prism_location` may be.

    Raises:
        RunError: there is no binary, and none can be fetched, or it does not start.
    """
    port = _free_port()
    with open(os.path.join(folder, "prism.log"), "wb") as log:
        process = subprocess.Popen(
            ending_with_parent(
                [_binary(options), f"--job_port={port}", "--serve_http=false", "--log_kind=text", "--log_level=warn"]
            ),
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for this program: it stops reading, writes what it holds, and ends Prism last.
            start_new_session=True,
        )
    try:
        wait_for_port(process, port, "PrismRunner: a prism", _STARTED)
        yield [
            f"--job_server_timeout={_FOR_EVER}",
            # Prism lets nothing be kept beyond a bundle, and Beam weighs all that is kept: half a millisecond a value.
            "--max_cache_memory_usage_mb=0",
            *options,
            f"--job_endpoint=localhost:{port}",
            f"--experiments={_WHOLE_BUNDLES}",
            "--environment_type=LOOPBACK",
            "--streaming",
        ]
    finally:
        process.kill()
        process.wait()


def _binary(options: Sequence[str]) -> str:
    found = local_binary()
    asked = any(option.startswith("--prism_") for option in options)
    if found is not None and not asked:
        return found
    try:
        return str(PrismJobServer(PipelineOptions(list(options))).path_to_binary())
    except Exception as error:
        raise RunError(
            "PrismRunner: the binary prism is required, and could not be fetched; let TRUEUP_PRISM name one "
            f"(go install github.com/apache/beam/sdks/v2/go/cmd/prism): {error}"
        ) from error


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
