"""Shapes of random values, drawn either by Hypothesis (which shrinks) or by a plain generator (which is fast and even)."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True)
class Choice:
    """One of some shapes or values; repeat what is to be likelier."""

    options: Sequence[Any]


@dataclass(frozen=True)
class Several:
    """A list of up to `most` values of a shape, and at least `least`."""

    shape: Any
    least: int
    most: int


def strategy(shape: Any) -> st.SearchStrategy[Any]:
    """A strategy of a shape: a range of integers, a Choice, Several, a tuple of shapes; anything else is itself.

    >>> sample((range(1), Several("x", 2, 2)), Random(0))
    (0, ['x', 'x'])
    """
    match shape:
        case range():
            return st.integers(shape[0], shape[-1])
        case Choice():
            if any(_is_shape(option) for option in shape.options):
                return st.one_of([strategy(option) for option in shape.options])
            return st.sampled_from(shape.options)
        case Several():
            return st.lists(strategy(shape.shape), min_size=shape.least, max_size=shape.most)
        case tuple():
            return st.tuples(*[strategy(part) for part in shape])
    return st.just(shape)


def sample(shape: Any, random: Random) -> Any:
    """One value of a shape."""
    match shape:
        case range():
            return random.choice(shape)
        case Choice():
            return sample(random.choice(shape.options), random)
        case Several():
            return [sample(shape.shape, random) for _ in range(random.randint(shape.least, shape.most))]
        case tuple():
            return tuple(sample(part, random) for part in shape)
    return shape


def _is_shape(value: Any) -> bool:
    return isinstance(value, range | Choice | Several) or (isinstance(value, tuple) and any(map(_is_shape, value)))
