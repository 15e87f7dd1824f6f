"""
Paired timing: both sides run in turns in one process, and only ratios are judged.

Machines are noisy and differ; the best of several short rounds, taken in
turns, is what two pieces of code can fairly be compared by.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def best_seconds(
    sides: Mapping[str, Callable[[], object]], rounds: int = 7, repeat: int = 1
) -> dict[str, float]:
    """
    Return for each side the CPU seconds of its best round, per call.

    Args:
        sides: What to measure, by name; each is called without arguments.

        rounds: How often every side has its turn.

        repeat: How many calls make a round.
    """
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(rounds):
        for name, call in sides.items():
            began = time.process_time()
            for _ in range(repeat):
                call()
            best[name] = min(best[name], (time.process_time() - began) / repeat)
    return best


def verdict(label: str, ratio: float, bar: float, *, at_most: bool = True) -> str:
    """Return one line that puts a measured ratio beside its bar."""
    met = ratio <= bar if at_most else ratio >= bar
    sign = "<=" if at_most else ">="
    return f"{label:<58} {ratio:9.3f}x   bar {sign} {bar:g}x   {'met' if met else 'MISSED'}"
