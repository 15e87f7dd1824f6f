"""
What a record file holds.

Source:
    Output of damo 3.4.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..records.record import Record
from .heatmap import heatmap_guide


def record_info(records: Sequence[Record], *, raw_numbers: bool = False) -> str:
    """
    Tell of each record whose it is, when it was made, and what was monitored.

    Args:
        records: What to tell of; those of the same target count as one.

        raw_numbers: Print plain numbers.
    """
    # What a heatmap could draw is what a record holds. Told in one place, so
    # that the two never differ.
    return heatmap_guide(records, is_human=not raw_numbers)
