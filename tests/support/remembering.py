"""Beam as it is, but for what it asks of the same code again and again."""

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from weakref import WeakKeyDictionary

from apache_beam.transforms import core

Arguments = tuple[list[str], list[Any]]


@contextmanager
def arguments_remembered() -> Iterator[None]:
    """Has Beam find out once what arguments a function has: for each graph it does so 6,000 times, of the methods that all steps
    have in common, which is a fifth of what a graph costs that has little to do."""
    with mock.patch.object(core, "get_function_args_defaults", _remembering(core.get_function_args_defaults)):
        yield


def _remembering(find: Callable[[Any], Arguments]) -> Callable[[Any], Arguments]:
    known: dict[bool, WeakKeyDictionary[Any, Arguments]] = {bound: WeakKeyDictionary() for bound in (False, True)}

    def found(function: Any) -> Arguments:
        bound = isinstance(function, types.MethodType)
        plain = function.__func__ if bound else function
        if not isinstance(plain, types.FunctionType):
            return find(function)
        if plain not in known[bound]:
            known[bound][plain] = find(function)
        names, defaults = known[bound][plain]
        return [*names], [*defaults]

    return found
