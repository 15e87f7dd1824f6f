"""Tapes: the few places at which a schedule differs from first come, first served."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Tape: TypeAlias = tuple[tuple[int, int], ...]
"""
Deviations, by step: at which step of any task, counted from 0, and how many tasks
that were runnable for longer are overtaken by the one that takes it, at least 1.
"""

ENTRY: Final = re.compile(r"\s*(\d+):([1-9]\d*)\s*")


class TapeError(ValueError):
    """
    A text is not a tape.

    Args:
        text: The text.

        why: What is wrong with it.
    """

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text, why)
        self.text = text
        self.why = why

    def __str__(self) -> str:
        return f"{self.text!r} is no tape: {self.why}; a tape is like '3:1,17:2'"


def parse_tape(text: str) -> Tape:
    """
    Return the tape that *text* says, e.g. "3:1,17:2"; empty is first come, first served.

    Raises:
        TapeError: If a part is not ``step:overtaken``, or steps do not ascend.
    """
    tape: list[tuple[int, int]] = []
    # Read strictly, though any tape can be played: a typo would pass for a schedule.
    for part in text.split(",") if text.strip() else []:
        entry = ENTRY.fullmatch(part)
        if entry is None:
            raise TapeError(text, f"{part.strip()!r} is not step:overtaken")
        step, overtaken = int(entry[1]), int(entry[2])
        # Two entries for a step would contradict each other.
        if tape and step <= tape[-1][0]:
            raise TapeError(text, f"step {step} comes after step {tape[-1][0]}")
        tape.append((step, overtaken))
    return tuple(tape)


def format_tape(tape: Tape) -> str:
    """Return *tape* as text."""
    return ",".join(f"{step}:{overtaken}" for step, overtaken in tape)
