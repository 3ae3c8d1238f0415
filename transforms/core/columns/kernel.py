"""What the compiled kernels share: the decorator, searches in sorted slices, and a stable grouping by counting.

Kernels are plain loops over int64 arrays of many scale sets, compiled by numba, which releases the GIL and keeps the machine
code on disk. Lists of different lengths lie one behind the other in one array, with an array of offsets, one more than lists:

    offsets    [0,       3,   4,      6]
    values     [a  b  c |d   |e  f]          values[offsets[1]:offsets[2]] is list 1, d

`group_by` makes such lists: it counts the entries of each group, adds the counts up to offsets, and then puts each entry at the
next free place of its group, so that entries of one group stay in order. `sort_by` does the same once for each eleven bits of
its keys, the lowest first, after which all are in order: for millions of them a third of what comparisons would cost.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]
Records = npt.NDArray[np.void]
"""A structured array."""
F = TypeVar("F", bound=Callable[..., Any])

NEVER: Final = 2**62
"""A moment that does not come: the end of what is still open."""


def _cache_folder() -> str:
    """A folder of its own for each state of the sources: numba asks only whether a kernel's own file has changed, not whether
    those of the kernels that it calls have, and would go on with what they were."""
    here, digest = Path(__file__).parents[1], hashlib.blake2b(digest_size=8)
    for source in sorted(here.rglob("*.py")):
        digest.update(source.read_bytes())
    return str(Path(numba.config.CACHE_DIR or here / "__pycache__") / f"kernels-{digest.hexdigest()}")


numba.config.CACHE_DIR = _cache_folder()


def kernel(function: F) -> F:
    """Compiles a function of arrays and integers; the machine code is kept between runs."""
    return _compiled(function, cache=True)


def inner_kernel(function: F) -> F:
    """Compiles a function that kernels alone call: without an entry for callers in Python, which takes longer to make than most
    such functions do. Its machine code is part of theirs.

    It counts no references to the arrays that it is given, which its caller holds: else each call would count five of a `Life` up
    and down, atomically, for a third of the time of a walk. So it neither makes arrays, nor gives them back, nor calls what does:
    that is for `array_kernel`.

    Raises:
        TypeError: it is called from Python.
    """
    return _inner(function, _nrt=False)


def array_kernel(function: F) -> F:
    """Compiles an inner kernel that makes arrays or gives them back, or calls one that does: it counts references.

    Raises:
        TypeError: it is called from Python.
    """
    return _inner(function)


def _inner(function: F, **options: bool) -> F:
    compiled: Any = _compiled(function, no_cpython_wrapper=True, **options)

    def refuse(*_args: object) -> None:
        raise TypeError(f"{function.__name__} is for kernels to call, and has no entry for callers in Python")

    # What numba would enter for calls from Python is a null pointer, and a call the end of the process.
    compiled._insert, compiled._compile_for_args = lambda *_args, **_how: None, refuse
    return compiled


def _compiled(function: F, **options: bool) -> Any:
    """Numba would compile a copy for each literal that a caller gives, and for each of those copies all that depends on it: here
    a literal is what any other integer is. And it would compile an entry for callers in C, of whom there are none."""
    compiled: Any = numba.njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, **options)(function)
    resolve = compiled.get_call_template
    compiled.get_call_template = lambda args, kws: resolve(tuple(numba.types.unliteral(arg) for arg in args), kws)
    return compiled


@inner_kernel
def first_at_or_after(values: Ints, lo: int, hi: int, x: int) -> int:
    """The first index in [lo, hi) whose value is >= x, or hi; `values[lo:hi]` ascends."""
    while lo < hi:
        middle = (lo + hi) // 2
        if values[middle] < x:
            lo = middle + 1
        else:
            hi = middle
    return lo


@kernel
def group_by(codes: Ints, groups: int, order: Ints) -> tuple[Ints, Ints]:
    """A stable sort of `order` by `codes[order]` in 0..groups: (offsets of the groups, sorted order)."""
    offsets = np.zeros(groups + 1, np.int64)
    for row in order:
        offsets[codes[row] + 1] += 1
    for group in range(groups):
        offsets[group + 1] += offsets[group]
    at = offsets[:-1].copy()
    out = np.empty(len(order), np.int64)
    for row in order:
        out[at[codes[row]]] = row
        at[codes[row]] += 1
    return offsets, out


_BITS: Final = 11


@kernel
def sort_by(keys: Ints, values: Ints) -> tuple[Ints, Ints]:
    """A stable sort of keys, none of them negative, and of a value that goes with each: (sorted keys, their values)."""
    places = np.empty((1 << _BITS) + 1, np.int64)
    for shift in range(0, 63, _BITS):
        if len(keys) == 0 or keys.max() >> shift == 0:
            break
        places[:] = 0
        for key in keys:
            places[(key >> shift & (1 << _BITS) - 1) + 1] += 1
        for digit in range(1 << _BITS):
            places[digit + 1] += places[digit]
        next_keys, next_values = np.empty_like(keys), np.empty_like(values)
        for row in range(len(keys)):
            digit = keys[row] >> shift & (1 << _BITS) - 1
            next_keys[places[digit]], next_values[places[digit]] = keys[row], values[row]
            places[digit] += 1
        keys, values = next_keys, next_values
    return keys, values
