"""What fuzzing has found stays mended, and a short round of it finds nothing new."""

import random

import pytest

from tests.fuzz.seeds import FINDINGS, WORDS, seeds
from tests.fuzz.targets import TARGETS

ROUNDS = 100
"""Inputs a target: some seconds of all of them. `python -m tests.fuzz` takes as long as it is told."""


@pytest.mark.parametrize("finding", FINDINGS)
def test_what_was_found_is_mended(finding: str) -> None:
    TARGETS[finding.partition(":")[0]](FINDINGS[finding])


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_hold(target: str) -> None:
    for seed in seeds(target):
        TARGETS[target](seed)


@pytest.mark.parametrize("target", TARGETS)
def test_a_short_round_finds_nothing(target: str) -> None:
    """The same inputs each time: a change fails for what it has changed."""
    dice, known = random.Random(target), list(seeds(target))
    for _ in range(ROUNDS):
        TARGETS[target](changed(dice, dice.choice(known), dice.choice(known)))


def changed(dice: random.Random, seed: bytes, other: bytes) -> bytes:
    """A seed with parts left out, doubled, replaced by words, or by parts of another."""
    data = bytearray(seed)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        until = min(len(data), at + dice.choice((0, 1, 1, 8, 64)))
        begin = dice.randrange(len(other))
        data[at:until] = dice.choice(
            (
                b"",
                data[at:until] * 2,
                dice.choice(WORDS).encode(),
                other[begin : begin + 40],
                bytes([dice.randrange(256)]),
            )
        )
    return bytes(data)
