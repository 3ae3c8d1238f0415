"""Kernels: what the decorators have numba compile."""

from typing import Any

import pytest
from numba import types

from transforms.core.columns.kernel import inner_kernel, kernel


@kernel
def _plus(x: int, more: bool) -> int:
    return x + 1 if more else x


@inner_kernel
def _inner(x: int) -> int:
    return x + 1


@kernel
def _outer(x: int) -> int:
    return 2 * _inner(x)


def test_inner_kernel_is_called_by_kernels_and_refuses_python_before_and_after_it_is_compiled() -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match="_inner is for kernels to call"):
            _inner(1)
        assert _outer(1) == 4


def test_kernel_is_compiled_once_for_literals_and_for_others() -> None:
    compiled: Any = _plus
    for args in ((types.literal(3), types.literal(True)), (types.int64, types.literal(False)), (types.int64, types.boolean)):
        _, _, resolved, _ = compiled.get_call_template(args, {})
        assert resolved == (types.int64, types.boolean)
    assert compiled.signatures == [(types.int64, types.boolean)]
    assert _plus(3, True) == 4
