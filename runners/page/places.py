"""Where things stand: the files of a page with one for each scale set, and the names of its parts."""

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

INDEX: Final = "index.html"
FOLDER: Final = "sets"
"""Below the folder of the page: the pages of scale sets."""
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 60

PageOf = Callable[[str], str]
"""The page of a scale set, seen from the one that links to it; empty if it has none."""


def is_folder(path: str) -> bool:
    """Whether `--html` names a folder: all that does not end as a page does.

    >>> is_folder("pages"), is_folder("pages/"), is_folder("report.html")
    (True, True, False)
    """
    return not path.lower().endswith((".html", ".htm"))


def anchor(scale_set_id: str) -> str:
    """The name of the part of a page that is about a scale set; distinct, and harmless whatever the id is."""
    return f"s{blake2b(scale_set_id.encode('utf-8', 'surrogatepass'), digest_size=5).hexdigest()}"


def file_of(scale_set_id: str) -> str:
    """The file of a scale set's page, below the folder of the index: told by its name, distinct by its id.

    >>> file_of("/subscriptions/s/virtualmachinescalesets/Web 1")
    'sets/web-1-s6c0bcc42fe.html'
    """
    name = _OTHER.sub("-", scale_set_id.rpartition("/")[2].lower()).strip("-")[:_LONGEST]
    return f"{FOLDER}/{name or 'set'}-{anchor(scale_set_id)}.html"


def no_page(scale_set_id: str) -> str:
    """For a page that is one file."""
    return ""
