"""The policy: every parameter of the correction (rules: Defaults; contract: Policy), read from TOML and validated."""

import hashlib
import json
import tomllib
from functools import cached_property
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from schemas.time import DAY, HOUR, MINUTE, format_duration, parse_duration
from schemas.wording import nearest

Effect = Literal["removes", "renews", "may_remove"]
Initiator = Literal["customer", "autoscale", "platform", "unknown"]
EFFECTS: Final = get_args(Effect)


class PolicyError(ValueError):
    """The policy file is wrong; the message names the key, what was required and what came."""


def _duration(value: object) -> int:
    if isinstance(value, str):
        return parse_duration(value)
    raise ValueError(f'must be a duration like "90s", "15m", "1h" or "7d", got {value!r}')


Duration = Annotated[int, BeforeValidator(_duration)]
"""Microseconds; written as "15m"."""


class Verb(BaseModel):
    """What an operation of one verb does to its targets, and how long it may take."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    effect: Effect
    deadline: Duration
    gone: bool
    """Whether nothing of the resource is left afterwards (if it removed)."""


def _verb(effect: Effect, deadline: int, gone: bool = False) -> Verb:
    return Verb.model_construct(effect=effect, deadline=deadline, gone=gone)


DEFAULT_VERBS: Final = {
    "delete": _verb("removes", HOUR, True),
    "scale_in": _verb("removes", HOUR, True),
    "deallocate": _verb("removes", HOUR),
    "stop": _verb("removes", HOUR),
    "evict": _verb("removes", HOUR),
    "create": _verb("renews", HOUR),
    "reimage": _verb("renews", HOUR),
    "redeploy": _verb("renews", HOUR),
    "scale_out": _verb("renews", HOUR),
    "start": _verb("renews", 30 * MINUTE),
    "restart": _verb("renews", 30 * MINUTE),
    "upgrade": _verb("renews", 6 * HOUR),
    "maintenance": _verb("renews", 6 * HOUR),
    "update": _verb("may_remove", 2 * HOUR, True),
}


class Policy(BaseModel):
    """All parameters of the correction; durations in microseconds. Each has its default (rules: Defaults, Verbs)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    skew: Duration = 2 * MINUTE
    unseen: Duration = 10 * MINUTE
    settle: Duration = 15 * MINUTE
    possible_excuse: Duration = HOUR
    max_excuse: Duration = 6 * HOUR
    presume_after: Duration = DAY
    max_open: Duration = 7 * DAY
    grid: Duration = HOUR
    lateness: Duration = HOUR
    excused_initiators: list[Initiator] = ["customer", "autoscale", "unknown"]
    always_excused: list[str] = ["evict"]
    verbs: dict[str, Verb] = DEFAULT_VERBS

    @model_validator(mode="before")
    @classmethod
    def _over_defaults(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("verbs"), dict):
            return data
        known = {
            name: {"effect": v.effect, "deadline": format_duration(v.deadline), "gone": v.gone}
            for name, v in DEFAULT_VERBS.items()
        }
        given = {
            name: {**known.get(name, {}), **verb} if isinstance(verb, dict) else verb for name, verb in data["verbs"].items()
        }
        return {**data, "verbs": {**known, **given}}

    @model_validator(mode="after")
    def _consistent(self) -> "Policy":
        longest = max(verb.deadline for verb in self.verbs.values())
        if self.grid <= 0 or DAY % self.grid:
            raise ValueError("grid must divide a day")
        if self.possible_excuse <= 0:
            raise ValueError("possible_excuse must be longer than nothing")
        if not self.max_excuse < self.presume_after <= self.max_open:
            raise ValueError("max_excuse < presume_after <= max_open is required")
        if not self.skew + self.unseen + longest + self.settle < self.presume_after:
            raise ValueError("skew + unseen + the longest deadline + settle < presume_after is required")
        if unknown := [verb for verb in self.always_excused if verb not in self.verbs]:
            raise ValueError(f"always_excused: {unknown[0]!r} is no verb of this policy{nearest(unknown[0], self.verbs)}")
        return self

    @cached_property
    def hash(self) -> str:
        """Short hash of the values in force, the grid included and `lateness` not; initiators and verbs count as sets."""
        values = self.model_dump(exclude={"lateness"})
        values |= {key: sorted(set(values[key])) for key in ("excused_initiators", "always_excused")}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def longest_deadline(self) -> int:
        """The longest deadline of any verb, in microseconds."""
        return max(verb.deadline for verb in self.verbs.values())


def parse_policy(text: str, name: str = "policy", grid: int | None = None) -> Policy:
    """The policy of a TOML text; `grid` (microseconds) goes over the one it names.

    Raises:
        PolicyError: the text is no TOML, or a key or value is wrong.

    >>> parse_policy('skew = "1m"').skew == MINUTE
    True
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name}: TOML is required, and it breaks off: {error}") from None
    if grid is not None:
        values["grid"] = format_duration(grid)
    try:
        return Policy.model_validate(values)
    except ValidationError as error:
        raise PolicyError(f"{name}: {_sentence(error.errors()[0])}") from None


def _sentence(error: Any) -> str:
    """What was required of which key, and what came."""
    path = [str(part) for part in error["loc"]]
    key, came = ".".join(path), f", got {error['input']!r}"
    if error["type"] == "value_error":
        return f"{key} {error['ctx']['error']}".strip()
    if error["type"] == "extra_forbidden":
        return f"{key} is no key of a policy{nearest(path[-1], (Policy if len(path) == 1 else Verb).model_fields)}"
    if error["type"] == "missing":
        return f"{key} is required of a new verb, as are effect, deadline and gone{nearest(path[-2], DEFAULT_VERBS)}"
    if error["type"] == "literal_error":
        return f"{key} must be {error['ctx']['expected']}{came}"
    kinds = {
        "bool_type": "true or false",
        "list_type": "a list",
        "string_type": "a text",
        "model_type": "a table",
        "dict_type": "a table",
    }
    return f"{key} must be {kinds.get(error['type'], error['msg'])}{came}"
