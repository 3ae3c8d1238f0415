"""Kernels: what the decorators have numba compile."""

from importlib import import_module
from pkgutil import walk_packages
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from numba import types
from numba.core.dispatcher import Dispatcher

import transforms.core
from transforms.core.columns.kernel import inner_kernel, kernel
from transforms.core.rules.verdicts import BestCandidate, Judgement


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


def _kernels() -> dict[str, Any]:
    """All compiled functions of the core, by name."""
    found: dict[str, Any] = {}
    for module in walk_packages(transforms.core.__path__, "transforms.core."):
        own = vars(import_module(module.name))
        found |= {f"{module.name}.{name}": each for name, each in own.items() if isinstance(each, Dispatcher)}
    return found


KERNELS = _kernels()
"""Each under every name by which a module knows it."""


@pytest.mark.parametrize("name", [name for name, each in KERNELS.items() if each.targetoptions.get("_nrt") is False])
def test_inner_kernel_that_counts_no_references_gives_no_arrays_and_calls_nothing_that_does(name: str) -> None:
    function = KERNELS[name].py_func
    given = get_type_hints(function)["return"]
    assert {*(get_args(given) or (given,))} <= {int, float, bool, type(None), np.uint64, Judgement, BestCandidate}
    called = [function.__globals__.get(used) for used in function.__code__.co_names]
    assert not [each for each in called if isinstance(each, Dispatcher) and each.targetoptions.get("_nrt") is not False]
