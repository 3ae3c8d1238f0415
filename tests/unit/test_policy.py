"""The policy: every parameter has its default, can be overridden, and a mistake is named in one sentence (rules:
Defaults, Verbs; contract: Policy)."""

import pytest

from schemas.policy import DEFAULT_VERBS, Policy, PolicyError, parse_policy
from schemas.time import DAY, HOUR, MINUTE

DURATIONS = {
    "skew": 2 * MINUTE, "unseen": 10 * MINUTE, "settle": 15 * MINUTE, "possible_excuse": HOUR, "max_excuse": 6 * HOUR,
    "presume_after": DAY, "max_open": 7 * DAY, "grid": HOUR, "lateness": HOUR,
}  # fmt: skip
VERBS = {
    "delete": ("removes", 60, True), "scale_in": ("removes", 60, True), "deallocate": ("removes", 60, False),
    "stop": ("removes", 60, False), "evict": ("removes", 60, False), "create": ("renews", 60, False),
    "reimage": ("renews", 60, False), "redeploy": ("renews", 60, False), "scale_out": ("renews", 60, False),
    "start": ("renews", 30, False), "restart": ("renews", 30, False), "upgrade": ("renews", 360, False),
    "maintenance": ("renews", 360, False), "update": ("may_remove", 120, True),
}  # fmt: skip


def test_defaults_are_those_of_the_semantics() -> None:
    policy = Policy()
    assert {name: getattr(policy, name) for name in DURATIONS} == DURATIONS
    assert {name: (v.effect, v.deadline // MINUTE, v.gone) for name, v in policy.verbs.items()} == VERBS
    assert set(policy.excused_initiators) == {"customer", "autoscale", "unknown"}
    assert policy.always_excused == ["evict"]


@pytest.mark.parametrize("name", DURATIONS)
def test_every_duration_can_be_overridden(name: str) -> None:
    text = {"presume_after": "36h", "max_open": "9d", "grid": "15m"}.get(name, "90s")
    changed = parse_policy(f'{name} = "{text}"')
    assert getattr(changed, name) != DURATIONS[name]
    assert all(getattr(changed, other) == value for other, value in DURATIONS.items() if other != name)


def test_a_verb_is_overridden_key_by_key() -> None:
    verbs = parse_policy('[verbs.delete]\ndeadline = "2h"').verbs
    assert verbs["delete"].deadline == 2 * HOUR
    assert verbs["delete"].effect == "removes"
    assert {name: verb for name, verb in verbs.items() if name != "delete"} == {
        name: verb for name, verb in DEFAULT_VERBS.items() if name != "delete"
    }


def test_a_new_verb_needs_all_three_keys() -> None:
    text = '[verbs.hibernate]\neffect = "removes"\ndeadline = "1h"\n'
    assert parse_policy(text + "gone = false").verbs["hibernate"].effect == "removes"
    with pytest.raises(PolicyError, match=r"verbs\.hibernate\.gone is required of a new verb"):
        parse_policy(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("skew = 90", 'skew must be a duration like "90s", "15m", "1h" or "7d", got 90'),
        ('skew = "90"', 'skew must be a duration like "90s", "15m", "1h" or "7d", got \'90\''),
        ('[verbs.delete]\ndeadline = "-1h"', "verbs.delete.deadline must be a duration"),
        ('[verbs.delete]\neffect = "kills"', "verbs.delete.effect must be 'removes', 'renews' or 'may_remove', got 'kills'"),
        ("[verbs.delete]\ngone = 1", "verbs.delete.gone must be true or false, got 1"),
        ("verbs = 1", "verbs must be a table, got 1"),
        ('excused_initiators = "customer"', "excused_initiators must be a list, got 'customer'"),
        ('excused_initiators = ["me"]', "excused_initiators.0 must be 'customer'"),
        ('always_excused = ["vanish"]', "always_excused: 'vanish' is no verb of this policy"),
        ('always_excused = ["evcit"]', "always_excused: 'evcit' is no verb of this policy; the nearest is evict"),
        ("patience = 1", "patience is no key of a policy"),
        ('Settel = "1m"', "Settel is no key of a policy; the nearest is settle"),
        ('[verbs.delete]\ndedline = "1h"', "verbs.delete.dedline is no key of a policy; the nearest is deadline"),
        (
            '[verbs.deletes]\ndeadline = "1h"',
            "verbs.deletes.effect is required of a new verb, as are effect, deadline and gone; the nearest is delete",
        ),
        ('grid = "7m"', "grid must divide a day"),
        ('grid = "0s"', "grid must divide a day"),
        ('max_excuse = "24h"', "max_excuse < presume_after <= max_open is required"),
        ('max_open = "23h"', "max_excuse < presume_after <= max_open is required"),
        ('[verbs.upgrade]\ndeadline = "1413m"', "skew + unseen + the longest deadline + settle < presume_after is required"),
        ('possible_excuse = "0s"', "possible_excuse must be longer than nothing"),
        ("skew =", "TOML is required"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_it(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "policy.toml")
    assert str(caught.value).startswith(f"policy.toml: {sentence}")
    assert "\n" not in str(caught.value)


def test_the_longest_deadline_may_just_fit() -> None:
    assert parse_policy('[verbs.upgrade]\ndeadline = "1412m"').longest_deadline == 1412 * MINUTE


def test_the_hash_is_of_the_values_in_force_without_lateness() -> None:
    assert parse_policy("").hash == Policy().hash == parse_policy('skew = "120s"').hash == parse_policy('lateness = "2h"').hash
    assert parse_policy('excused_initiators = ["unknown", "customer", "autoscale"]').hash == Policy().hash
    others = [parse_policy(text).hash for text in ('skew = "1m"', 'grid = "1d"', "[verbs.evict]\ngone = true")]
    assert len({Policy().hash, *others}) == 4


def test_the_grid_of_the_command_line_goes_over_the_policys() -> None:
    assert parse_policy('grid = "1d"', grid=15 * MINUTE).grid == 15 * MINUTE
