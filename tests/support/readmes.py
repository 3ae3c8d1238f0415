"""The README files that code cites, and what in the code cites them."""

import functools
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TEXTS = {"rules": "transforms/core/README.md", "contract": "schemas/README.md", "steps": "pipelines/README.md"}
"""What a citation calls a text, and where that is."""
_FOLDERS = ("schemas", "transforms", "pipelines", "runners", "tests")
_CITATION = re.compile(r"\(((?:rules|contract|steps): [^()]*)\)")


class Citation(NamedTuple):
    """One heading that a file cites."""

    path: str
    text: str
    heading: str


def sources() -> list[Path]:
    """The files that may cite: code, SQL, and what stands beside it."""
    return [
        ROOT / "pyproject.toml",
        *(path for folder in _FOLDERS for ending in ("py", "sql") for path in sorted((ROOT / folder).rglob(f"*.{ending}"))),
    ]


def headings(path: Path) -> list[str]:
    """The headings of a Markdown file, in order."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^#{2,4} (.+)$", text, re.MULTILINE)


def anchor(heading: str) -> str:
    """What a link to a heading says behind the `#`.

    >>> anchor("The set itself")
    'the-set-itself'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def citations_in(content: str, path: str = "") -> Iterator[Citation]:
    """What some words cite, whatever lines they are on.

    >>> [(text, heading) for _, text, heading in citations_in('(rules: Refused, Extended; contract: Policy)')]
    [('rules', 'Refused'), ('rules', 'Extended'), ('contract', 'Policy')]
    """
    for cited in _CITATION.findall(" ".join(content.split())):
        for part in cited.split("; "):
            text, _, named = part.partition(": ")
            yield from (Citation(path, text, heading) for heading in named.split(", "))


@functools.cache
def citations() -> tuple[Citation, ...]:
    """All that the code cites."""
    return tuple(cited for path in sources() for cited in citations_in(_words(path), path.relative_to(ROOT).as_posix()))


def _words(path: Path) -> str:
    """The comments and texts in a file: of other code, a parameter may look like a citation."""
    content = path.read_text()
    if path.suffix != ".py":
        return content
    tokens = tokenize.generate_tokens(io.StringIO(content).readline)
    return "\n".join(token.string.lstrip("# ") for token in tokens if token.type in (tokenize.COMMENT, tokenize.STRING))
