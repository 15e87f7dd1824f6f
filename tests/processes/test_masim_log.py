"""What masim would say, and when."""

from __future__ import annotations

from itertools import islice

import pytest

from damon_async.processes.masim_log import (
    Stretch,
    accesses_per_ms,
    describe,
    phase_line,
    stretches,
)
from damon_async.spaces.masim_config import parse_masim
from damon_async.spaces.masim_speed import MasimOptions

CONFIG = parse_masim(
    "a,10M\nb,100M\n\n"
    "first phase\n100\na,0,4096,1\n\n"
    "idle\n50\na,0,4096,0\n\n"
    "both\n20\na,0,64,1\nb,1,0,3\n"
)


def test_lines_are_masim_s() -> None:
    """Name, tab, number on the right with its thousands apart, and the time."""
    line = phase_line("first phase", 165_000, 5_000_000)
    assert line == "first phase:\t             165,000 accesses/msec, 5000 msecs run"


@pytest.mark.parametrize(("phase", "per_ms"), [(0, 130_000), (1, 0)])
def test_speed_of_one_pattern(phase: int, per_ms: int) -> None:
    """A pattern alone has its own speed, and an idle phase none."""
    assert accesses_per_ms(CONFIG, CONFIG.phases[phase], MasimOptions()) == per_ms


def test_speed_of_several_patterns() -> None:
    """Slow patterns take more of the time than of the accesses."""
    options = MasimOptions(dense_per_ms=100_000, random_per_ms=50_000, random_big_per_ms=50_000)
    # Of four batches three take two units of time each, and one takes one.
    assert accesses_per_ms(CONFIG, CONFIG.phases[2], options) == 400_000 // 7


def test_phases_one_after_the_other() -> None:
    """Each phase has a line when it is over."""
    found = list(stretches(CONFIG, MasimOptions()))
    assert [end_us for end_us, _ in found] == [100_000, 150_000, 170_000]
    assert [line.partition(":")[0] for _, line in found] == ["first phase", "idle", "both"]
    assert found[1] == Stretch(150_000, phase_line("idle", 0, 50_000))


def test_runs_are_repeated() -> None:
    """All phases come again as often as is wanted, or without end."""
    assert len(list(stretches(CONFIG, MasimOptions(repeat=3)))) == 9
    endless = stretches(CONFIG, MasimOptions(repeat=0))
    assert [end_us for end_us, _ in islice(endless, 100)][-1] == 33 * 170_000 + 100_000


def test_runs_without_length_end() -> None:
    """Phases of no length are not repeated for ever in no time."""
    config = parse_masim("a,1M\n\nfirst\n0\na,0,1,1\n")
    assert [end_us for end_us, _ in stretches(config, MasimOptions(repeat=0))] == []


def test_lines_within_a_phase() -> None:
    """With an interval, each part of a phase has a line; the last may be shorter."""
    found = list(stretches(CONFIG, MasimOptions(), 40_000))
    assert [end_us for end_us, _ in found] == [40_000, 80_000, 100_000, 140_000, 150_000, 170_000]
    assert [line.split(", ")[-1] for _, line in found][:3] == [
        "40 msecs run",
        "40 msecs run",
        "20 msecs run",
    ]


def test_description() -> None:
    """Regions, phases and patterns are listed."""
    assert list(describe(CONFIG)) == [
        "region a: 10485760 bytes",
        "region b: 104857600 bytes",
        "phase first phase: 100 msecs",
        "\ta: stride 4096, weight 1",
        "phase idle: 50 msecs",
        "\ta: stride 4096, weight 0",
        "phase both: 20 msecs",
        "\ta: stride 64, weight 1",
        "\tb: random, weight 3",
    ]
