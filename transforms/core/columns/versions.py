"""Which rows are of given versions of cells: a look into a table of them, row after row."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.core.columns.kernel import Bools, Ints, first_at_or_after, kernel


class Versions(NamedTuple):
    """The version of each cell of some scale sets."""

    cells: Ints
    """Where they begin, ascending."""
    as_of: Ints
    """Scale set x cell."""

    def hold(self, code: npt.NDArray[Any], places: Ints, cell: Ints, as_of: Ints) -> Bools:
        """Whether each of some rows is of the version of its cell.

        Args:
            code: of its scale set.
            places: which row of `as_of` a code stands for; -1: none.
            cell: where its cell begins.
            as_of: of which version it is.
        """
        held = np.zeros(len(code), np.bool_)
        if len(self.cells):
            _find(self.cells, self.as_of, code, places, cell, as_of, held)
        return held


@kernel
def _find(cells: Ints, versions: Ints, code: npt.NDArray[Any], places: Ints, cell: Ints, as_of: Ints, held: Bools) -> None:
    column = 0
    for row in range(len(code)):
        if cells[column] != cell[row]:
            column = min(first_at_or_after(cells, 0, len(cells), cell[row]), len(cells) - 1)
        place = places[code[row]]
        held[row] = place >= 0 and cells[column] == cell[row] and versions[place, column] == as_of[row]
