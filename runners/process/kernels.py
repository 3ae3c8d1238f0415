"""Kernels: whether this machine has compiled them, which is worth a word only where it has not."""

from pathlib import Path


def compiling_note() -> str:
    """Explains why a first run takes longer; nothing where the kernels are there."""
    import numba

    import transforms.core.columns.kernel  # noqa: F401  # says which folder is that of these sources

    return "" if Path(numba.config.CACHE_DIR).is_dir() else "compiling the kernels, once for this machine"
