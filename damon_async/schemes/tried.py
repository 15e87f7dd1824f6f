"""Tried regions: one round of every scheme, seen region by region."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from ..arrays import IntArray
from ..errors import CanceledError


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """
    Regions that an action was just asked for on.

    Attributes:
        scheme_idx: Whose action, from 0.

        target_idx: Index of their target.

        ranges: int64, shape (nr_regions, 2), ascending ``[start, end)``.

        nr_accesses: int64, shape (nr_regions,): accesses per aggregation.

        age: int64, shape (nr_regions,): aggregations, before the action.

        passed: int64, shape (nr_regions,): bytes that passed the filters.
    """

    scheme_idx: int
    target_idx: int
    ranges: IntArray
    nr_accesses: IntArray
    age: IntArray
    passed: IntArray


class WalkState(Enum):
    """Where a walk stands."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


class Walk:
    """
    A request to see one apply round of every scheme.

    Args:
        visit: Called with the regions of each request to act, right after it.

        schemes: Indices of the schemes that owe a round.

        when_ended: Called once, when nothing more will happen.

    Attributes:
        state: What became of it.

    Source:
        spec core 4.6.
    """

    __slots__ = ("_error", "_owing", "_visit", "_when_ended", "state")

    def __init__(
        self,
        visit: Callable[[Tried], object],
        schemes: Iterable[int],
        when_ended: Callable[[Walk], object] | None = None,
    ) -> None:
        self.state = WalkState.PENDING
        self._visit = visit
        # Indices, not states: a commit may have replaced the list meanwhile.
        self._owing = set(schemes)
        self._when_ended = when_ended
        self._error: BaseException | None = None

    def __repr__(self) -> str:
        """Say where it stands, and who is still to come."""
        return f"<Walk {self.state.value}, rounds to come of schemes {sorted(self._owing)}>"

    @property
    def is_pending(self) -> bool:
        """Whether anything will still happen."""
        return self.state is WalkState.PENDING

    def exception(self) -> BaseException | None:
        """Return what *visit* raised, or ``CanceledError``; None if nothing is wrong."""
        return self._error

    def show(self, tried: Tried) -> None:
        """
        Let the visitor see regions, if their scheme owes a round.

        Whatever the visitor raises ends the walk, and harms nobody else.
        """
        # A scheme with a short apply interval is due again before slow ones are.
        if not self.is_pending or tried.scheme_idx not in self._owing:
            return
        try:
            self._visit(tried)
        except Exception as error:  # noqa: BLE001 - the visitor's fault is the visitor's to see
            self._end(WalkState.FAILED, error)

    def complete(self, scheme_idx: int) -> None:
        """Note that a scheme has finished a round, or will never have one."""
        self._owing.discard(scheme_idx)
        if not self._owing and self.is_pending:
            self._end(WalkState.DONE)

    def cancel(self, why: str) -> None:
        """Give up on it; no-op once it has ended."""
        if self.is_pending:
            self._end(WalkState.CANCELED, CanceledError("the walk", why))

    def _end(self, state: WalkState, error: BaseException | None = None) -> None:
        # First the state: whoever is told looks at it.
        self.state, self._error = state, error
        if self._when_ended is not None:
            self._when_ended(self)
