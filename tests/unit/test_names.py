"""One name, one thing: no class of the product has the name of another, whatever their leading underscores. And no function takes
more parameters than a reader can keep in mind."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("schemas", "transforms", "pipelines", "runners")
ALLOWED: frozenset[str] = frozenset()
"""Names that may be there twice, each with its reason; none so far."""


MOST = 6
"""Parameters of a function. A kernel may have more, since each array that it fills is one."""


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    """All syntax of the product, and the file of each."""
    paths = sorted(path for room in PRODUCT for path in (ROOT / room).rglob("*.py"))
    return [(str(path.relative_to(ROOT)), node) for path in paths for node in ast.walk(ast.parse(path.read_text()))]


def classes() -> dict[str, list[str]]:
    """Where the classes of each name are defined, nested ones too."""
    places = defaultdict(list)
    for path, node in nodes():
        if isinstance(node, ast.ClassDef):
            places[node.name.lstrip("_")].append(f"{path}:{node.lineno}")
    return places


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Names of the parameters that a caller gives: not those that Beam gives a DoFn, nor `**more`."""
    positional = [*node.args.posonlyargs, *node.args.args]
    defaults = [None] * (len(positional) - len(node.args.defaults)) + [*node.args.defaults, *node.args.kw_defaults]
    given = zip([*positional, *node.args.kwonlyargs], defaults, strict=True)
    return [
        name.arg for name, default in given
        if name.arg not in ("self", "cls") and not (default and ast.unparse(default).startswith("beam.DoFn."))
    ]  # fmt: skip


def crowded(found: Iterable[tuple[str, ast.AST]]) -> list[str]:
    """Functions with too many parameters that are no kernels."""
    return [
        f"{path}:{node.lineno}: {node.name} takes {len(parameters(node))}"
        for path, node in found
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and len(parameters(node)) > MOST
        if not any(isinstance(each, ast.Name) and each.id in ("kernel", "inner_kernel") for each in node.decorator_list)
    ]


def test_no_function_takes_more_than_six_parameters() -> None:
    assert not crowded(nodes()), "\n".join(crowded(nodes()))


@pytest.mark.parametrize(
    ("text", "too_many"),
    [
        ("def f(a, b, c, d, e, g): ...", False),
        ("def f(a, b, c, d, e, g, h): ...", True),
        ("def f(a, b, c, d, e, g, *, h=1): ...", True),
        ("async def f(self, a, b, c, d, e, g, **more): ...", False),
        ("@kernel\ndef f(a, b, c, d, e, g, h): ...", False),
        ("def f(self, a, b, c, d, e, g, h=beam.DoFn.StateParam(S)): ...", False),
    ],
)
def test_what_counts_as_too_many_parameters(text: str, too_many: bool) -> None:
    assert bool(crowded(("", node) for node in ast.walk(ast.parse(text)))) == too_many


def test_no_class_name_is_there_twice() -> None:
    twice = {name: places for name, places in classes().items() if len(places) > 1 and name not in ALLOWED}
    assert not twice, "\n".join(f"{name}: {', '.join(places)}" for name, places in twice.items())


def test_names_that_are_allowed_twice_are_there_twice() -> None:
    found = classes()
    assert len(found) > 200
    assert {name for name in ALLOWED if len(found[name]) < 2} == set()
