"""Importing the core costs neither Beam nor a clock."""

import subprocess
import sys


def test_importing_the_core_imports_no_beam() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "import transforms.core.evaluation.evaluate, transforms.core.decode"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "transforms.core.evaluation.evaluate" in run.stderr
    assert "apache_beam" not in run.stderr
