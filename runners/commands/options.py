"""What commands share: types of options, and reading the files that options name."""

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import psutil

from pipelines.failures import UsageError

if TYPE_CHECKING:
    from schemas.azure.inventory import Inventory
    from schemas.policy import Policy

FORMATS: Final = ("auto", "eventgrid", "activitylog", "resourcegraph", "canonical")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class ByteSize(click.ParamType[int]):
    """A size written like 512M or 4GiB; gives bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes."""
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(value.strip())
        if match is None:
            self.fail(f"a size like 512M or 4GiB is required, got {value!r}.", param, ctx)
        return int(float(match[1]) * _UNITS[match[2].upper()])


class Span(click.ParamType[int]):
    """A duration written like 15m or 1h; gives microseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The microseconds."""
        from schemas.time import parse_duration

        try:
            return value if isinstance(value, int) else parse_duration(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class When(click.ParamType[int]):
    """A time in RFC 3339; gives microseconds since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The microseconds since the epoch, UTC where no offset is given."""
        from schemas.timestamp import parse_time

        try:
            return value if isinstance(value, int) else parse_time(value)
        except ValueError:
            self.fail(f"a time like 2026-10-01T00:00:00Z is required, got {value!r}.", param, ctx)


def now_micros() -> int:
    """The present, in microseconds since the epoch."""
    return time.time_ns() // 1000


def read_policy(path: str | None, grid: int | None) -> "Policy":
    """The policy in a file, or the default one; a `grid` in microseconds replaces the policy's.

    Raises:
        UsageError: it cannot be read, or is wrong.
    """
    from schemas.policy import PolicyError, parse_policy

    try:
        return parse_policy("" if path is None else _read(path).decode(), path or "--grid", grid)
    except UnicodeDecodeError:
        raise UsageError(f"{path}: TOML in UTF-8 is required, got other bytes.") from None
    except PolicyError as error:
        raise UsageError(f"{error}.") from None


def read_inventory(path: str | None) -> "Inventory | None":
    """The inventory in a file; None if no file is given.

    Raises:
        UsageError: it cannot be read, or is wrong.
    """
    from schemas.azure.inventory import InventoryError, parse_inventory

    try:
        return None if path is None else parse_inventory(_read(path), path)
    except InventoryError as error:
        raise UsageError(f"{error}.") from None


def machine_memory() -> int:
    """Bytes of memory of this machine, or of the container that the program runs in."""
    limits = [int(text) for text in map(_content, _LIMITS) if text.isdigit()]
    return min([int(psutil.virtual_memory().total), *limits])


def _content(path: str) -> str:
    return Path(path).read_text().strip() if os.path.exists(path) else ""


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes() if "://" not in path else _fetched(path)
    except OSError as error:
        raise UsageError(f"{path}: a readable file is required: {error.strerror or error}.") from None


def _fetched(path: str) -> bytes:
    from pipelines.record.folder import read

    with read(path) as source:
        return bytes(source.read())


input_option = click.option(
    "--input", "inputs", metavar="GLOB", multiple=True, required=True, help="Files or folders to read; may be given again."
)
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="auto",
    show_default=True,
    help="Of all records; auto: told of each.",
)
