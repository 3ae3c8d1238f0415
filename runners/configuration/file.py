"""`trueup.toml`: what a folder's commands are told again and again, written down once (contract: trueup config)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, ValidationError

from pipelines.failures import UsageError
from schemas.wording import nearest

NAME: Final = "trueup.toml"
"""Where it is looked for unless it is named: in the current folder."""
Scalar = StrictStr | StrictInt | StrictFloat


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class NightlyTable(BaseModel):
    """`[nightly]`: what `trueup nightly` alone is told."""

    model_config = ConfigDict(extra="forbid")

    lag: StrictStr | None = None
    over: StrictStr | None = None
    html: StrictStr | None = None
    summary: StrictStr | None = None
    keep: StrictStr | None = None


class AlertsTable(BaseModel):
    """`[alerts]`: what `trueup watch` is told."""

    model_config = ConfigDict(extra="forbid")

    after: StrictStr | None = None
    webhook: StrictStr | None = None
    command: StrictStr | None = None
    topic: StrictStr | None = None


class ConfigurationFile(BaseModel):
    """The file: each key is optional. What a value must look like, the option says that it stands for."""

    model_config = ConfigDict(extra="forbid")

    input: Annotated[list[StrictStr] | None, BeforeValidator(_listed)] = None
    inventory: StrictStr | None = None
    output: StrictStr | None = None
    policy: StrictStr | None = None
    target: Scalar | None = None
    time_zone: StrictStr | None = None
    memory: Scalar | None = None
    nightly: NightlyTable = Field(default_factory=NightlyTable)
    alerts: AlertsTable = Field(default_factory=AlertsTable)


class Configured(NamedTuple):
    """What is in force."""

    path: str | None
    """The file; None: there is none."""
    values: Mapping[str, Any]
    """By key, `nightly.lag` among them; what the file does not say is not there."""


_READERS: Final = ("report", "explain", "compact", "status", "watch", "score", "sql")
OPTIONS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "input": tuple((command, "inputs") for command in ("backfill", "nightly", "validate")),
    "inventory": tuple((command, "inventory") for command in ("backfill", "nightly", "stream", "validate", "report")),
    "output": (
        *((command, "output") for command in ("backfill", "nightly", "stream")),
        *((command, "data") for command in _READERS),
    ),
    "policy": tuple((command, "policy") for command in ("backfill", "nightly", "stream", "validate")),
    "target": (("report", "target"), ("nightly", "target")),
    "time_zone": tuple((command, "time_zone") for command in ("report", "nightly", "explain")),
    "memory": (("backfill", "memory"), ("nightly", "memory")),
    "nightly.lag": (("nightly", "lag"),),
    "nightly.over": (("nightly", "over"),),
    "nightly.html": (("nightly", "page"),),
    "nightly.summary": (("nightly", "summary"),),
    "nightly.keep": (("nightly", "keep"),),
    "alerts.after": (("watch", "alert_after"), ("stream", "alert_after")),
    "alerts.webhook": (("watch", "webhook"),),
    "alerts.command": (("watch", "command"),),
    "alerts.topic": (("watch", "topic"),),
}
"""The commands, and of each the parameter, that a key stands for."""
_TABLES: Final[dict[str, type[BaseModel]]] = {"nightly": NightlyTable, "alerts": AlertsTable}
_SCALARS: Final = ("target", "memory")
_PATHS: Final = ("input", "inventory", "output", "policy", "nightly.html", "nightly.summary")


def configured(path: str | None) -> Configured:
    """What a file says; that of the current folder, if there is one, where none is named.

    Raises:
        UsageError: it cannot be read, is no TOML, or has a key or a value that is none.
    """
    if path is None and not Path(NAME).is_file():
        return Configured(None, {})
    place = path or NAME
    values = _values(_parsed(place), place)
    folder = Path(place).parent
    return Configured(place, {key: _beside(folder, value) if key in _PATHS else value for key, value in values.items()})


def default_map(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The defaults of each command's parameters."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        for command, parameter in OPTIONS[key]:
            found.setdefault(command, {})[parameter] = value
    return found


def _parsed(place: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(place).read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"--config: a readable file is required, got {place}: {error.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{place}: TOML in UTF-8 is required, and it breaks off: {error}.") from None


def _values(parsed: dict[str, Any], place: str) -> dict[str, Any]:
    try:
        told = ConfigurationFile.model_validate(parsed).model_dump(exclude_none=True)
    except ValidationError as error:
        raise UsageError(f"{place}: {_sentence(error.errors()[0])}.") from None
    tables = {f"{name}.{key}": value for name in _TABLES for key, value in told.pop(name).items()}
    return {**told, **tables}


def _sentence(error: Any) -> str:
    """What was required of which key, and what came."""
    path = [str(part) for part in error["loc"] if not str(part).startswith(("function-", "list["))]
    key = ".".join(path)
    if error["type"] == "extra_forbidden":
        table = _TABLES[path[0]] if len(path) > 1 else ConfigurationFile
        return f"{key} is no key{nearest(path[-1], table.model_fields)}"
    if path[0] in _SCALARS:
        return f"{path[0]} must be a number or a text, got {error['input']!r}"
    required = {"model_type": "a table", "list_type": "a text or a list of texts"}.get(error["type"], "a text")
    return f"{key} must be {required}, got {error['input']!r}"


def _beside(folder: Path, value: str | list[str]) -> str | list[str]:
    """Paths of the file's folder, as seen from the current one; addresses stay."""
    if isinstance(value, list):
        return [str(_beside(folder, one)) for one in value]
    return value if "://" in value else _joined(folder, value)


def _joined(folder: Path, value: str) -> str:
    path = str(folder / value)
    return f"{path}/" if value.endswith("/") and not path.endswith("/") else path
