"""
What masim says while it runs.

Source:
    spec damo 6.2. Differs: counts are those that the speed model gives, for
    nothing is accessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from ..spaces.masim_config import MasimConfig, MasimPhase
from ..spaces.masim_speed import MasimOptions

_COUNT_WIDTH = 20
_US_PER_MS = 1000
_NS_PER_MS = 1_000_000


class Stretch(NamedTuple):
    """A time after which there is something to say."""

    end_us: int
    """When that is, in microseconds since the beginning."""

    line: str
    """What is to be said."""


def accesses_per_ms(config: MasimConfig, phase: MasimPhase, options: MasimOptions) -> int:
    """Return how many accesses a millisecond of a phase has on average."""
    drawn = [pattern for pattern in phase.patterns if pattern.weight]
    if not drawn:
        return 0
    spent_ns = 0
    for pattern in drawn:
        size = config.regions[pattern.region].size
        if pattern.is_random:
            batch_ns = options.random_batch_ns(size)
        else:
            batch_ns = options.sequential_batch_ns(size, pattern.stride)
        spent_ns += pattern.weight * batch_ns
    # As many batches as there are weights, hence as many accesses for that time.
    nr_accesses = options.nr_accesses_per_region * sum(pattern.weight for pattern in drawn)
    return nr_accesses * _NS_PER_MS // spent_ns


def phase_line(name: str, per_ms: int, length_us: int) -> str:
    """Return the line of a phase, or of a part of it, that is over."""
    return f"{name}:\t{per_ms:>{_COUNT_WIDTH},} accesses/msec, {length_us // _US_PER_MS} msecs run"


def stretches(
    config: MasimConfig, options: MasimOptions, interval_us: int = 0
) -> Iterator[Stretch]:
    """
    Yield when a run has something to say, and what.

    Args:
        config: What is run.

        options: How it is run; without end if they repeat it for ever.

        interval_us: How long a part of a phase is that gets a line of its own; 0: each
            phase has one.
    """
    lines = [
        (phase.name.strip(), accesses_per_ms(config, phase, options), phase.length_us)
        for phase in config.phases
    ]
    # A run that takes no time would never come to an end.
    has_length = any(length_us for _, _, length_us in lines)
    laps = range(options.repeat) if options.repeat or not has_length else count()
    now_us = 0
    for _ in laps:
        for name, per_ms, length_us in lines:
            for part_us in _parts(length_us, interval_us):
                now_us += part_us
                yield Stretch(now_us, phase_line(name, per_ms, part_us))


def describe(config: MasimConfig) -> Iterator[str]:
    """Yield the lines that tell what a configuration holds."""
    for region in config.regions:
        yield f"region {region.name}: {region.size} bytes"
    for phase in config.phases:
        yield f"phase {phase.name.strip()}: {phase.length_us // _US_PER_MS} msecs"
        for pattern in phase.patterns:
            name = config.regions[pattern.region].name
            how = "random" if pattern.is_random else f"stride {pattern.stride}"
            yield f"\t{name}: {how}, weight {pattern.weight}"


def _parts(length_us: int, interval_us: int) -> Iterator[int]:
    """Cut a length into intervals, of which the last may be shorter."""
    while 0 < interval_us < length_us:
        yield interval_us
        length_us -= interval_us
    yield length_us
