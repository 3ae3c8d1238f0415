"""Digests of cells: 64 bits inside, 16 hex digits in the tables (contract: Revisions)."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Digests = npt.NDArray[np.uint64]

_WIDTH = 16
_HEX = np.frombuffer(b"".join(f"{byte:02x}".encode() for byte in range(256)), "S2")
_DIGIT = np.zeros(256, np.uint8)
_DIGIT[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)

EMPTY = np.uint64(0)
"""The digest of a cell without rows, whatever the policy; that of any other depends on it."""


def to_text(digests: Digests) -> pa.StringArray:
    """16 hex digits of each digest.

    >>> to_text(np.array([255], np.uint64)).to_pylist()
    ['00000000000000ff']
    """
    digits = _HEX[digests.astype(">u8").view(np.uint8)]
    offsets = np.arange(len(digests) + 1, dtype=np.int32) * _WIDTH
    return pa.StringArray.from_buffers(len(digests), pa.py_buffer(offsets), pa.py_buffer(digits.tobytes()))


def from_text(texts: pa.StringArray) -> Digests:
    """The digests of texts of 16 hex digits.

    >>> int(from_text(pa.array(["00000000000000ff"]))[0])
    255
    """
    _, ends, data = texts.buffers()
    edges = np.frombuffer(ends, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    raw = np.frombuffer(data or b"", np.uint8)[edges[0] : edges[-1]]
    nibbles = _DIGIT[raw].reshape(-1, 2)
    packed = (nibbles[:, 0] << 4 | nibbles[:, 1]).astype(np.uint8)
    return packed.view(">u8").astype(np.uint64)
