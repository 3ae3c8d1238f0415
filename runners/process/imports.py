"""Imports: Beam without the clients of services that a run in this process does not call, and without collecting garbage."""

import gc
import importlib
import sys
from typing import Final

UNCALLED: Final = (
    "pymongo",
    "apache_beam.io.gcp.bigquery",
    "apache_beam.io.gcp.gcsfilesystem",
    "apache_beam.io.aws.s3filesystem",
    "apache_beam.io.azure.blobstoragefilesystem",
    "google.cloud.dataflow",
)
"""What Beam imports if it can: 700 modules, a quarter of the CPU of a small run. `transforms/files/remote.py` imports the file
systems when a path needs one."""


def import_beam() -> None:
    """Imports Beam as if those were not installed; they can be imported afterwards. Does nothing if it has been imported.

    What is imported is 160,000 objects and never garbage: looking through them again and again costs half a second.
    """
    hidden = [name for name in UNCALLED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be found
    collecting = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module("apache_beam")
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
        for name in hidden:
            del sys.modules[name]
