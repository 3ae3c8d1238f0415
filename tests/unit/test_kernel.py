"""Kernels: what the decorator has numba compile."""

from typing import Any

from numba import types

from transforms.core.columns.kernel import kernel


@kernel
def _plus(x: int, more: bool) -> int:
    return x + 1 if more else x


def test_kernel_is_compiled_once_for_literals_and_for_others() -> None:
    compiled: Any = _plus
    for args in ((types.literal(3), types.literal(True)), (types.int64, types.literal(False)), (types.int64, types.boolean)):
        _, _, resolved, _ = compiled.get_call_template(args, {})
        assert resolved == (types.int64, types.boolean)
    assert compiled.signatures == [(types.int64, types.boolean)]
    assert _plus(3, True) == 4
