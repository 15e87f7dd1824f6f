"""
What masim would do to memory, as a function of time.

masim runs its phases one after the other in a single thread. In a phase it
draws a pattern by weight, makes a batch of accesses with it, and draws again.
Here the draws come from a seed and a batch takes the time that a speed model
gives, so that everything in between is arithmetic.

Source:
    spec damo 6.2. Differs: a phase ends on the microsecond instead of at the end
    of a batch; every page that the pool of random numbers reaches is touched
    equally often; regions too small for a mapping of their own get one.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from .bands import Bands, Stroke
from .clocks import BatchClock, Clock, SteadyClock, TimeClock
from .layout import Block, as_process, stacked
from .masim_config import MasimConfig, MasimPattern, read_masim
from .masim_speed import MasimOptions
from .patterns import PatternSpace
from .phases import Phase
from .process_table import ProcessTable
from .processes import FIRST_NUMBER, Process, Random, Sweep
from .random_touches import salt_of
from .timeline import Timeline

_LEAD: Final = 16
"""Bytes that the allocator keeps in front of each region."""

# Beyond this share a page that is left out is not worth being looked for.
_SURELY_COVERED: Final = 0.9999


def load_masim(
    path: str | os.PathLike[str],
    *,
    seed: int = 0,
    options: MasimOptions | None = None,
) -> PatternSpace:
    """
    Open a masim configuration file as a space.

    Args:
        path: The file.

        seed: Which of the possible runs it is; not negative.

        options: How to run it.

    Raises:
        InputFileError: If the file cannot be read.

        ParametersError: If it is not a configuration; all wrong lines are listed.
    """
    return masim_space(read_masim(path), seed=seed, options=options, name=Path(path).name)


def masim_space(
    config: MasimConfig,
    *,
    seed: int = 0,
    options: MasimOptions | None = None,
    name: str = "masim",
) -> PatternSpace:
    """
    Turn a configuration into a space that lives as long as masim would run.

    Args:
        config: Regions and phases.

        seed: Which of the possible runs it is; not negative.

        options: How to run it.

        name: What to call the space.
    """
    run = _Run(config, options or MasimOptions(), seed)
    timeline = Timeline([phase.length_us for phase in config.phases], run.options.repeat)
    return PatternSpace(as_process(run.mappings), timeline, run.phase, run.options.page_size, name)


class _Ruled(NamedTuple):
    # Pages, and the process that touches them.
    start: int
    end: int
    process: Process


class _Run:
    # One run of a configuration; makes its phases when they are needed.
    def __init__(self, config: MasimConfig, options: MasimOptions, seed: int) -> None:
        self.options = options
        self._config = config
        self._seed = seed
        # One for all phases: the pool of random numbers is drawn once.
        self._cover_salt = salt_of(seed)
        blocks = [Block(region.name, _LEAD + region.size) for region in config.regions]
        self.mappings = stacked(blocks, options.page_size)

    def phase(self, index: int) -> Phase:
        # What has no weight is never drawn, and needs no counter.
        patterns = [found for found in self._config.phases[index].patterns if found.weight]
        layers: list[list[Stroke]] = [[]]
        processes: list[Process] = []
        uses: Counter[int] = Counter()
        for counter, pattern in enumerate(patterns):
            # A second pattern on the same region needs a layer of its own.
            if uses[pattern.region] == len(layers):
                layers.append([])
            layer = layers[uses[pattern.region]]
            uses[pattern.region] += 1
            salt = salt_of(self._seed, index, counter)
            for ruled in self._ruled(pattern, counter, salt):
                layer.append(Stroke(ruled.start, ruled.end, FIRST_NUMBER + len(processes)))
                processes.append(ruled.process)
        table = ProcessTable(processes, self.options.page_size, self._cover_salt)
        return Phase(
            [Bands.painted(layer) for layer in layers], table, self._clock(index, patterns)
        )

    def _clock(self, index: int, patterns: Sequence[MasimPattern]) -> Clock:
        if not patterns:
            return TimeClock()
        batch_ns = [self._batch_ns(pattern) for pattern in patterns]
        # Alone, a pattern has every turn, and advances in a straight line.
        if len(patterns) == 1:
            return SteadyClock(self.options.nr_accesses_per_region, batch_ns[0])
        return BatchClock(
            [pattern.weight for pattern in patterns],
            batch_ns,
            self.options.nr_accesses_per_region,
            self._config.phases[index].length_us,
            np.random.default_rng(salt_of(self._seed, index)),
        )

    def _batch_ns(self, pattern: MasimPattern) -> int:
        size = self._config.regions[pattern.region].size
        if pattern.is_random:
            return self.options.random_batch_ns(size)
        return self.options.sequential_batch_ns(size, pattern.stride)

    def _ruled(self, pattern: MasimPattern, counter: int, salt: int) -> Iterator[_Ruled]:
        page_size = self.options.page_size
        size = self._config.regions[pattern.region].size
        start, end, *_ = self.mappings[pattern.region]
        if not pattern.is_random:
            sweep = Sweep(start, size, pattern.stride, _LEAD, counter)
            # Where no page is skipped, the band is what a lap touches and no more.
            reach = min(end, sweep.end(page_size)) if pattern.stride <= page_size else end
            yield _Ruled(start, reach, sweep)
            return
        # The last page holds fewer bytes than the others, hence fewer touches.
        last = start + (_LEAD + size - 1) // page_size * page_size
        yield _Ruled(start, last, self._random(size, page_size, counter, salt))
        yield _Ruled(last, end, self._random(size, _LEAD + start + size - last, counter, salt))

    def _random(self, size: int, bytes_of_page: int, counter: int, salt: int) -> Random:
        # How many pages like this one the region would have.
        pages = size / min(size, bytes_of_page)
        covered = -math.expm1(-self.options.random_pool / pages)
        if covered > _SURELY_COVERED:
            covered = 1.0
        # The pages that are reached share the accesses of those that are not.
        return Random(max(1, round(pages * covered)), salt, covered, counter)
