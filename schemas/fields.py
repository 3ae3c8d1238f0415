"""The fields of records: what each may hold, and the sentence where it does not.

Canonical events are strict: their models say what an event needs. Native records are lenient: every field is optional and
keeps whatever came, because only a record of a known kind on a known target can be rejected for its other fields.
"""

from functools import cache
from typing import Annotated, Any, ClassVar, Final

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from schemas.names import content_of, exactly, folded, is_nothing, pick
from schemas.timestamp import is_acceptable, parse_time

SHOWN: Final = 60
_BIGGEST = 2**63 - 1


def shown(value: object) -> str:
    """A value as a sentence can carry it: its text, cut."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _bad(required: str, value: object) -> PydanticCustomError:
    return PydanticCustomError("bad_value", "must be {required}, got {came}", {"required": required, "came": shown(value)})


def _text(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _bad("a text", value)


def _folded(value: object) -> str:
    return _text(value).casefold()


def _time(value: object, info: ValidationInfo) -> int:
    now: int = (info.context or {})["now"]
    try:
        micros = parse_time(value.strip()) if isinstance(value, str) else None
    except ValueError:
        micros = None
    if micros is None:
        raise PydanticCustomError("bad_time", "must be a time like 2026-10-01T00:00:00Z, got {came}", {"came": shown(value)})
    if not is_acceptable(micros, now):
        raise PydanticCustomError("bad_time", "must lie between 2000 and a day from now, got {came}", {"came": shown(value)})
    return micros


def _count(value: object) -> int:
    number = whole_number(value)
    if number is None or not 0 <= number <= _BIGGEST:
        raise _bad("a whole number from 0 on", value)
    return number


def whole_number(value: object) -> int | None:
    """The integer that a JSON value is: 3, 3.0, "3" or " 3 "; None if it is none.

    >>> whole_number("3"), whole_number(3.0), whole_number(3.5), whole_number(True)
    (3, 3, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) <= 20 else None


def _ids(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise _bad("a list of texts", value)
    return tuple(sorted({_folded(item) for item in value if not is_nothing(item)}))


Id = Annotated[str, BeforeValidator(_text)]
"""An id that is compared exactly; a number counts as its digits."""
FoldedId = Annotated[str, BeforeValidator(_folded)]
"""A resource or instance id, case-folded."""
FoldedIds = Annotated[tuple[str, ...], BeforeValidator(_ids)]
"""Instance ids as a set: folded, sorted, each once."""
Time = Annotated[int, BeforeValidator(_time)]
"""Microseconds since the epoch, in [2000, now + 1 day]; the context of the validation holds `now`."""
Count = Annotated[int, BeforeValidator(_count)]
"""A number of instances."""


def embedded(value: object, times: int = 2) -> dict[str, Any] | None:
    """The object that a field holds: itself, or JSON in a string, up to `times` times encoded; None if it is unreadable.

    >>> embedded('{"a": 1}'), embedded("******")
    ({'a': 1}, None)
    """
    for _ in range(times):
        if not isinstance(value, str):
            break
        try:
            value = msgspec.json.decode(value)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return None
    return value if isinstance(value, dict) else None


def _present(value: object) -> object:
    return None if is_nothing(value) else value


def _label(value: object) -> object:
    return _present(pick(value, "value") if isinstance(value, dict) else value)


Anything = Annotated[Any, BeforeValidator(_present)]
"""A field of a native record: whatever came, None for nothing."""
Label = Annotated[Any, BeforeValidator(_label)]
"""The same of a field that is a text, or an object with the text in `value`."""


class Native(BaseModel):
    """A part of a native record: all fields optional; an object, JSON of one in a string, or (anything else) nothing.

    A `loose` one has names that are compared without case and underscores.
    """

    loose: ClassVar[bool] = False

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _object(cls, data: object) -> dict[str, Any]:
        found = embedded(data) or {}
        return dict(exactly(content_of(found), _names(cls))) if cls.loose else found


@cache
def _names(model: type[Native]) -> dict[str, str]:
    names = [field.alias or name for name, field in model.model_fields.items()]
    return {folded(name): name for name in names}
