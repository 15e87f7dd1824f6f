"""Virtual address spaces, fixed ranges: only what the user asked for."""

from __future__ import annotations

from .spaces import SpaceOperations


class Fvaddr(SpaceOperations):
    """
    As ``Vaddr``, but the regions are the user's and are never updated.

    Source:
        spec core 5.7.
    """

    __slots__ = ()
