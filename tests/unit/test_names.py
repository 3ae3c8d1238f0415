"""One name, one thing: no class of the product has the name of another, whatever their leading underscores."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("schemas", "transforms", "pipelines", "runners")
ALLOWED: frozenset[str] = frozenset()
"""Names that may be there twice, each with its reason; none so far."""


def classes() -> dict[str, list[str]]:
    """Where the classes of each name are defined, nested ones too."""
    places = defaultdict(list)
    for path in sorted(path for room in PRODUCT for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return places


def test_no_class_name_is_there_twice() -> None:
    twice = {name: places for name, places in classes().items() if len(places) > 1 and name not in ALLOWED}
    assert not twice, "\n".join(f"{name}: {', '.join(places)}" for name, places in twice.items())


def test_names_that_are_allowed_twice_are_there_twice() -> None:
    found = classes()
    assert len(found) > 200
    assert {name for name in ALLOWED if len(found[name]) < 2} == set()
