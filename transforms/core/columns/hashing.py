"""Digests: 64-bit content hashes of texts and rows, the same on every machine and in every run (contract: Revisions).

A digest is only ever compared with other versions of the same cell, so 64 well-mixed bits are plenty.

The kernels walk row after row. A text is its bytes, eight at a time in a word, the last one filled with zeros; since its length
is where the hash begins, no two texts give the same words:

    "availability"  ->  length 12, "availabi", "lity" 0 0 0 0

All arithmetic is in uint64 and wraps around: one signed operand would make numba take floats.
"""

import numpy as np
import pyarrow as pa

from transforms.core.columns.kernel import Bytes, Ints, Words, inner_kernel, kernel


@inner_kernel
def mix(h: np.uint64, value: np.uint64) -> np.uint64:
    """Takes one 64-bit value into a hash: a multiply and xor-shift round over both."""
    h = (h ^ value) * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    return h ^ (h >> np.uint64(29))


@kernel
def _hash_texts(offsets: Ints, data: Bytes, out: Words) -> None:
    for row in range(len(out)):
        h = np.uint64(0x243F6A8885A308D3) ^ np.uint64(offsets[row + 1] - offsets[row])
        word, width = np.uint64(0), 0
        for at in range(offsets[row], offsets[row + 1]):
            word |= np.uint64(data[at]) << np.uint64(8 * width)
            width += 1
            if width == 8:
                h = mix(h, word)
                word, width = np.uint64(0), 0
        out[row] = mix(h, word)


def text_hashes(texts: pa.Array) -> Words:
    """A hash of each text (not its place in a dictionary); nulls hash as 0.

    >>> bool(text_hashes(pa.array(["a", "b"]))[0] == text_hashes(pa.array(["a"]))[0])
    True
    """
    _, offsets, data = texts.buffers()
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    out = np.empty(len(texts), np.uint64)
    if len(texts):
        at = np.frombuffer(offsets, width)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64, copy=False)
        content = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
        _hash_texts(at, content, out)
    if texts.null_count:
        out[texts.is_null().to_numpy(zero_copy_only=False)] = 0
    return out


@kernel
def mix_values(hashes: Words, values: Words) -> None:
    """Takes a value into the hash of each row."""
    for row in range(len(hashes)):
        hashes[row] = mix(hashes[row], values[row])


@kernel
def mix_coded(hashes: Words, codes: Ints, values: Words) -> None:
    """Takes `values[code]` into the hash of each row; a code of -1 is the last value."""
    for row in range(len(hashes)):
        hashes[row] = mix(hashes[row], values[codes[row]])
