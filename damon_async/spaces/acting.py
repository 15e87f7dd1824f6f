"""What the operations sets may ask a space to do to its memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..arrays import BoolArray, IntArray
from ..params.filters import Filter
from ..params.keywords import Action
from ..params.schemes import Dest
from .space import Space


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """
    What came of a request.

    Attributes:
        applied: int64, shape (nr_ranges,): bytes acted on.

        passed: int64, shape (nr_ranges,): bytes that passed the filters.

        elapsed_ns: How long it took.
    """

    applied: IntArray
    passed: IntArray
    elapsed_ns: int


class ActingSpace(Space, Protocol):
    """A space whose memory actions change, such as that of a ``Machine``."""

    def apply(
        self,
        action: Action,
        ranges: IntArray,
        *,
        filters: Sequence[Filter],
        bypass: BoolArray,
        target_nid: int,
        dests: Sequence[Dest],
        now_us: int,
    ) -> Done:
        """
        Carry out an action on ranges of addresses.

        Args:
            action: What to do. One that is not supported does nothing.

            ranges: int64, shape (nr_ranges, 2), ``[start, end)`` in bytes.

            filters: Which pages to leave out.

            bypass: bool, shape (nr_ranges,): ranges whose pages are not filtered.

            target_nid: The node to migrate to; -1 for none.

            dests: Nodes to migrate to by weight; win over *target_nid*.

            now_us: When; does not go back.
        """
        ...
