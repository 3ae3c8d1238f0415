"""A glance in JSON: what a run or a validation must say of its input."""

from typing import Any

from schemas.time import format_time
from transforms.core.decode.glance import Glance, gaps


def glance_json(glance: Glance, known_before: int | None = None) -> dict[str, Any]:
    """What a run must say of its input, in JSON: events by kind, shapes of records of no format, and gaps.

    Args:
        glance: at the input.
        known_before: T of what a run goes on from.
    """
    shapes = [
        {"keys": shape.keys, "looks_like": shape.look, "records": seen.records, "file": seen.file, "elsewhere": seen.elsewhere}
        for shape, seen in sorted(glance.unread.shapes.items())
    ]
    return {
        "events": dict(sorted(glance.events.items())),
        "no_format": {"records": glance.unread.records, "shapes": shapes},
        "gaps": [{"from": format_time(begin), "to": format_time(end)} for begin, end in gaps(glance, known_before)],
    }
