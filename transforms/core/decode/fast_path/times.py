"""Columns of times to microseconds: the ordinary form by Arrow, any other one by one."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.timestamp import AHEAD, EARLIEST, parse_time

_NONE = np.iinfo(np.int64).min
_SHORTEST = len("2026-10-01T00:00:00Z")


def micros_of(texts: Sequence[str | None], now: int) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds of each text, and whether it is a time in [2000, now + 1 day].

    >>> micros_of(["2026-10-01T00:00:00.0000019Z", "soon", None], 2**60)[1].tolist()
    [True, False, False]
    """
    values = pa.array(texts, pa.string())
    micros = _by_arrow(values)
    if micros is None:
        micros = np.fromiter((_one(text) for text in texts), np.int64, len(texts))
    return micros, (micros >= EARLIEST) & (micros <= now + AHEAD)


def _by_arrow(values: pa.StringArray) -> np.ndarray | None:
    """All of them in one cast, if all (nulls aside) look ordinary: RFC 3339 with seconds and a Z."""
    ordinary = pc.and_(pc.greater_equal(pc.binary_length(values), _SHORTEST), pc.ends_with(values, "Z"))
    if not pc.all(ordinary, min_count=0).as_py():
        return None
    try:
        nanos = values.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    micros: np.ndarray = nanos.fill_null(0).to_numpy(zero_copy_only=False) // 1000
    return np.where(values.is_null().to_numpy(zero_copy_only=False), _NONE, micros) if values.null_count else micros


def _one(text: str | None) -> int:
    try:
        return _NONE if text is None else parse_time(text.strip())
    except ValueError:
        return _NONE
