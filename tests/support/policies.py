"""Policies whose durations are seconds, so that a few events reach every one of them."""

from schemas.policy import Policy, parse_policy

_SMALL = """
skew = "2s"
unseen = "3s"
settle = "5s"
possible_excuse = "15s"
max_excuse = "30s"
presume_after = "60s"
max_open = "90s"
grid = "1m"
"""
_DEADLINES = {"start": "10s", "restart": "10s", "upgrade": "40s", "maintenance": "40s", "update": "30s"}
_VERBS = "".join(f'[verbs.{name}]\ndeadline = "{_DEADLINES.get(name, "20s")}"\n' for name in Policy().verbs)


def _small(*changes: tuple[str, str], first: str = "") -> Policy:
    text = first + _SMALL + _VERBS
    for old, new in changes:
        text = text.replace(f"\n{old}\n", f"\n{new}\n")
    return parse_policy(text)


SMALL = _small()
BRISK = _small(('settle = "5s"', 'settle = "1s"'), ('max_excuse = "30s"', 'max_excuse = "12s"'))
STRICT = _small(('skew = "2s"', 'skew = "0s"'), ('unseen = "3s"', 'unseen = "0s"'), ('settle = "5s"', 'settle = "0s"'))
KEEPING = _small(
    ("[verbs.update]", "[verbs.update]\ngone = false"),
    ('max_open = "90s"', 'max_open = "60s"'),
    ('possible_excuse = "15s"', 'possible_excuse = "55s"'),
    ('grid = "1m"', 'grid = "15s"'),
)
"""An update leaves something behind; the possible excuse is longer than the longest one."""
OTHERS = _small(
    ("[verbs.stop]", '[verbs.pause]\neffect = "may_remove"\ngone = false\ndeadline = "20s"\n[verbs.stop]'),
    first='excused_initiators = ["autoscale", "unknown"]\nalways_excused = ["evict", "maintenance"]\n',
)
"""Another choice of initiators, another verb."""

SMALL_POLICIES = (SMALL, SMALL, BRISK, STRICT, KEEPING, OTHERS)
