"""
Which regions a scheme asks for in one round, before its quota ends.

In order: what the pattern matches, behind the carry-over pointer, worth the
least score, and not filtered out as a whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, IntArray
from ..regions.table import AGE, END, START, TARGET
from .filters import ALLOWED, REJECTED, Piece
from .match import matching_rows, region_matches, size_matches
from .moment import Moment
from .state import SchemeState
from .walked import WalkedRegions


class Candidates(NamedTuple):
    """Regions that a scheme asks for."""

    rows: IntArray
    """int64, shape (nr,): indices of the regions, ascending."""

    bypass: BoolArray
    """bool, shape (nr,): where the filters for pages do not apply."""


def matching(s: SchemeState, regions: WalkedRegions, moment: Moment) -> IntArray:
    """Return the regions of valid targets that the pattern matches; ascending indices."""
    cells = regions.table.cells
    # Sizes as a function: they are computed, and most patterns fail before them.
    rows = matching_rows(s.pattern, regions.frequencies, cells[AGE], lambda: regions.sizes)
    if moment.valid_targets is None:
        return rows
    valid: IntArray = rows[moment.valid_targets[cells[TARGET, rows]]]
    return valid


def candidates(s: SchemeState, regions: WalkedRegions, moment: Moment) -> Candidates | None:
    """
    Return what a scheme asks for; cuts regions of which that is only a part.

    Returns:
        None if it asks for nothing, which is cheaper to find out than to hold.

    Source:
        spec core 7.3 and 7.7.
    """
    # What most schemes wait for is age, and one number for all of them says if any
    # region has it. Cutting makes no region older.
    if s.pattern.min_age > regions.oldest:
        return None
    rows = matching(s, regions, moment)
    # A pointer may still have to be resolved: the right part of a region that is
    # too large as a whole may match.
    if not len(rows) and s.quota.charge_target is None:
        return None
    if s.quota.charge_target is not None:
        rows = _behind_pointer(s, regions, rows, moment)
    # Before filters cut anything: what is not worth the least score stays whole.
    if s.scores is not None and s.quota.min_score and len(rows):
        rows = rows[s.scores.of(regions.score_keys[rows]) >= s.quota.min_score]
    wanted = Candidates(rows, np.zeros(len(rows), np.bool_))
    if s.core_filters and len(rows):
        wanted = _filtered(s, regions, rows)
    return wanted if len(wanted.rows) else None


def worth(s: SchemeState, regions: WalkedRegions, moment: Moment) -> tuple[IntArray, IntArray]:
    """
    Return what a scheme with an order could ask for in a round.

    Returns:
        Two arrays, int64, shape (nr_matching,): scores, and bytes that the core
        filters let pass (P20). Both are empty if the scheme has no order.
    """
    rows = matching(s, regions, moment)
    sizes = regions.sizes[rows]
    if s.scores is None or not len(rows):
        return rows[:0], sizes[:0]
    if s.core_filters:
        cells = regions.table.cells
        place = cells[TARGET, rows], cells[START, rows], cells[END, rows]
        sizes = np.where(s.core_filters.verdicts(*place) == REJECTED, 0, sizes)
        # There are at most as many of these as ranges have bounds.
        for index in s.core_filters.straddling(*place[1:]).nonzero()[0].tolist():
            pieces = _pieces(s, regions, int(rows[index]))
            sizes[index] = sum(end - start for start, end, verdict in pieces if verdict)
    return s.scores.of(regions.score_keys[rows]), sizes


def _behind_pointer(
    s: SchemeState, regions: WalkedRegions, rows: IntArray, moment: Moment
) -> IntArray:
    """
    Return those of *rows* that were not served before the quota was used up.

    Source:
        spec core 7.4.5. Differs: the pointer's target may have lost all of its
        regions, and what is not going to be served is not cut.
    """
    target, address = s.quota.charge_target or 0, s.quota.charge_addr
    cells = regions.table.cells
    span = regions.rows(target)
    # Regions of earlier targets are not served in this walk: it goes on in the
    # middle, and the next one starts from the beginning.
    first = span.start + int(cells[END, span].searchsorted(address, side="right"))
    rows = rows[rows.searchsorted(first) :]
    if first == span.stop or cells[START, first] >= address:
        return rows
    # Its left part was served, so the right part is a region of its own.
    rows = rows[1:] if first in rows[:1] else rows
    offset = address - int(cells[START, first])
    # A commit may have made the smallest region larger than the one that was cut.
    offset += -offset % moment.min_region_sz
    rest = regions.size(first) - offset
    frequency, age = int(regions.frequencies[first]), int(cells[AGE, first])
    if rest <= 0 or not region_matches(s.pattern, rest, frequency, age):
        return rows
    regions.cut(first, offset)
    return np.concatenate([[first + 1], rows + 1])


def _filtered(s: SchemeState, regions: WalkedRegions, rows: IntArray) -> Candidates:
    """Leave out what the filters for whole regions reject, cutting where they must."""
    cells = regions.table.cells
    place = cells[TARGET, rows], cells[START, rows], cells[END, rows]
    verdicts = s.core_filters.verdicts(*place)
    is_cut = s.core_filters.straddling(*place[1:])
    # Regions seldom straddle a bound; only those few are looked at one by one.
    if is_cut.any():
        rows, verdicts = _cut_apart(s, regions, rows, verdicts, is_cut)
    is_kept = verdicts != REJECTED
    return Candidates(rows[is_kept], verdicts[is_kept] == ALLOWED)


def _cut_apart(
    s: SchemeState,
    regions: WalkedRegions,
    rows: IntArray,
    verdicts: IntArray,
    is_cut: BoolArray,
) -> tuple[IntArray, IntArray]:
    """Cut the regions that filters see in parts; return all rows and verdicts anew."""
    # The caller's own, but its places are about to move.
    rows = rows.copy()
    found: list[tuple[int, int]] = []
    for index in is_cut.nonzero()[0].tolist():
        row = int(rows[index])
        pieces = _pieces(s, regions, row)
        if not any(piece.verdict for piece in pieces):
            # A region of which nothing is taken stays whole.
            continue
        for number, piece in enumerate(pieces):
            found.append((row + number, piece.verdict))
            if number < len(pieces) - 1:
                regions.cut(row + number, piece.end - piece.start)
        # Everything to the right has moved by as many places as there are cuts.
        rows[index + 1 :] += len(pieces) - 1
    whole, whole_verdicts = rows[~is_cut], verdicts[~is_cut]
    cut_rows, cut_verdicts = np.array(found, np.int64).reshape(-1, 2).T
    all_rows = np.concatenate([whole, cut_rows])
    # Service is in the order of addresses, whoever was cut.
    order = np.argsort(all_rows)
    return all_rows[order], np.concatenate([whole_verdicts, cut_verdicts])[order]


def _pieces(s: SchemeState, regions: WalkedRegions, row: int) -> list[Piece]:
    """Return the parts of one region that the filters treat alike."""
    target, start, end = (int(regions.table.cells[column, row]) for column in (TARGET, START, END))

    def is_wanted(size: int) -> bool:
        return size_matches(s.pattern, size)

    return list(s.core_filters.pieces(target, start, end, is_wanted))
