"""What all tests of this folder have."""

from tests.support.remembering import quicker_graphs

__all__ = ["quicker_graphs"]
