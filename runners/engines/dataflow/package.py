"""The wheel of this very program, for workers elsewhere: made of the folders that are imported here, with no build tool."""

import os
import zipfile
from importlib import import_module, metadata
from pathlib import Path
from typing import Final

_ROOMS: Final = ("schemas", "transforms", "pipelines", "runners")
_WHEEL: Final = "Wheel-Version: 1.0\nGenerator: trueup\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def packed(folder: str) -> str:
    """Writes the wheel into a folder; equal sources give equal bytes, so that it is staged once. Gives its path."""
    about = metadata.distribution("trueup")
    info = f"trueup-{about.version}.dist-info"
    content = {path: file.read_bytes() for room in _ROOMS for path, file in _files(room)}
    for name in ("METADATA", "entry_points.txt"):
        content[f"{info}/{name}"] = (about.read_text(name) or "").encode()
    content[f"{info}/WHEEL"] = _WHEEL.encode()
    content[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*content, f"{info}/RECORD")).encode()
    target = os.path.join(folder, f"trueup-{about.version}-py3-none-any.whl")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in content.items():
            wheel.writestr(zipfile.ZipInfo(path), data, zipfile.ZIP_DEFLATED)
    return target


def _files(room: str) -> list[tuple[str, Path]]:
    root = Path(import_module(room).__path__[0])
    found = (path for path in sorted(root.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return [(path.relative_to(root.parent).as_posix(), path) for path in found]
