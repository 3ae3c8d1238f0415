"""What a run says of its kernels: why it takes longer once, and nothing afterwards."""

from pathlib import Path

import pytest

from runners.process.kernels import compiling_note


def test_only_a_run_that_compiles_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path / "kernels"))
    assert compiling_note() == "compiling the kernels, once for this machine"
    (tmp_path / "kernels").mkdir()
    assert compiling_note() == ""
