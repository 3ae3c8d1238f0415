"""Messages of a watch as lines of text."""

from collections import Counter
from typing import Any, Final

from runners.words.names import harmless

_WORDS: Final = {"begun": "", "ended": " has ended", "goes_on": " goes on after all", "withdrawn": " is withdrawn"}


def line_of(message: dict[str, Any]) -> str:
    """One message in one line.

    >>> data = {"scale_set_id": "/a/web", "state": "Degraded", "since": "2026-06-01T20:17:22Z", "until": None, "excused": []}
    >>> real = [{"instance_id": "5", "verdict": "overrun", "operation": {"verb": "upgrade", "initiator": "customer"}}]
    >>> line_of({"time": "2026-06-01T20:17:22Z", "type": "trueup.scaleset.begun", "data": {**data, "real": real}})
    '2026-06-01T20:17:22Z  web is Degraded: 1 overrun (upgrade by customer)'
    >>> line_of({"time": "2026-06-01T20:19:22Z", "type": "trueup.scaleset.ended", "data": {**data, "real": real}})
    '2026-06-01T20:19:22Z  web: Degraded since 2026-06-01T20:17:22Z has ended'
    """
    data, saying = message["data"], message["type"].rpartition(".")[2]
    name = harmless(data["scale_set_id"].rpartition("/")[2])
    moment, since = (f"{time[:19]}Z" for time in (message["time"], data["since"]))
    if saying != "begun":
        return f"{moment}  {name}: {data['state']} since {since}{_WORDS[saying]}"
    return f"{moment}  {name} is {data['state']}: {_instances(data['real']) or 'the scale set says so itself'}"


def _instances(rows: list[dict[str, Any]]) -> str:
    kinds = Counter((row["verdict"], _by(row["operation"])) for row in rows)
    return ", ".join(f"{number} {verdict}{by}" for (verdict, by), number in kinds.most_common())


def _by(operation: dict[str, Any] | None) -> str:
    return "" if operation is None else harmless(f" ({operation['verb']} by {operation['initiator']})")
