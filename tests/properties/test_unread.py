"""Records of no format are counted the same, however they are split and whatever their order."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.decoding import noted
from transforms.core.decode.terms.unread import MOST, Unread


@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_split_and_order_gives_the_same_and_counts_every_record(random_: random.Random, pieces: int) -> None:
    names = [f"k{random_.randrange(2 * MOST):04}" for _ in range(4 * MOST)]
    parts = [names[place::pieces] for place in range(pieces)]
    random_.shuffle(parts)
    whole, summed = noted(names), sum((noted(part) for part in parts), Unread())
    assert summed.shapes == whole.shapes
    assert summed.others == whole.others
    assert len(whole.shapes) <= MOST
    assert whole.records == len(names)
    assert {shape.keys[0]: seen.records for shape, seen in whole.shapes.items()} == {
        name: names.count(name) for name in sorted(set(names))[:MOST]
    }
