"""The tables of a folder by their names (contract: Folder)."""

from typing import Final

import pyarrow as pa

from schemas.tables.attribution import ATTRIBUTIONS
from schemas.tables.availability import AVAILABILITY
from schemas.tables.operation import OPERATIONS
from schemas.tables.reject import REJECTS
from schemas.tables.revision import REVISIONS

ROWS: Final[dict[str, pa.Schema]] = {"availability": AVAILABILITY, "attributions": ATTRIBUTIONS, "operations": OPERATIONS}
"""The tables whose rows belong to versions of cells."""
VERSIONED: Final = {**ROWS, "revisions": REVISIONS}
"""In the order of writing: `revisions` makes the rows of the others visible."""
TABLES: Final = {**VERSIONED, "rejects": REJECTS}
