"""damo's parameter options."""

from __future__ import annotations

import pytest

from damon_async.cli.options import ParameterOptions
from damon_async.errors import InvalidError, ParametersError
from damon_async.params.intervals import Intervals, IntervalsGoal
from damon_async.params.monitoring import NrRegions
from damon_async.params.ranges import AddressRange


def test_defaults_are_those_of_damo() -> None:
    """Without options, damo's own defaults hold: its update interval is one second."""
    options = ParameterOptions()

    assert options.intervals() == Intervals("5ms", "100ms", "1s")
    assert options.nr_regions() == NrRegions(10, 1000)
    assert options.given() == ()


def test_given_options_are_known_by_name() -> None:
    """Only what was given counts as given, a zero included."""
    options = ParameterOptions(ops="paddr", refresh_stat=0, regions=(AddressRange(0, 4096),))

    assert options.given() == ("--ops", "--regions", "--refresh_stat")


def test_three_intervals_at_once() -> None:
    """--monitoring_intervals gives all three."""
    options = ParameterOptions(monitoring_intervals=(1_000, 20_000, 300_000))

    assert options.intervals() == Intervals(1_000, 20_000, 300_000)


def test_single_intervals_win() -> None:
    """The short forms replace one interval of three each."""
    options = ParameterOptions(
        monitoring_intervals=(1_000, 20_000, 300_000), sample=0, aggr=50_000, updr=7
    )

    assert options.intervals() == Intervals(0, 50_000, 7)


def test_bounds_and_their_short_forms() -> None:
    """--minr and --maxr replace one bound of the range each."""
    both = ParameterOptions(monitoring_nr_regions_range=(20, 200))
    one = ParameterOptions(monitoring_nr_regions_range=(20, 200), minr=30)
    other = ParameterOptions(maxr=50)

    assert both.nr_regions() == NrRegions(20, 200)
    assert one.nr_regions() == NrRegions(30, 200)
    assert other.nr_regions() == NrRegions(10, 50)


def test_goal() -> None:
    """A goal is four numbers; the automatic one is damo's."""
    goal = ParameterOptions(monitoring_intervals_goal=(500, 2, 1_000, 9_000))
    automatic = ParameterOptions(monitoring_intervals_autotune=True)

    assert goal.intervals().intervals_goal == IntervalsGoal(500, 2, 1_000, 9_000)
    assert automatic.intervals().intervals_goal == IntervalsGoal("4%", 3, "5ms", "10s")


def test_two_goals_are_refused() -> None:
    """A goal and the automatic one exclude each other."""
    options = ParameterOptions(
        monitoring_intervals_goal=(500, 2, 1_000, 9_000), monitoring_intervals_autotune=True
    )

    with pytest.raises(InvalidError, match=r"^--monitoring_intervals_autotune is itself a goal"):
        options.intervals()


def test_impossible_intervals_are_refused() -> None:
    """Intervals that do not go together are refused by the models."""
    with pytest.raises(ParametersError, match="is longer than aggr_us, 100000 us"):
        ParameterOptions(sample=200_000).intervals()


def test_impossible_bounds_are_refused() -> None:
    """All mistakes of the bounds are told at once."""
    with pytest.raises(ParametersError, match=r"^2 problems: min: 2 is too few.*max: 1 is below"):
        ParameterOptions(minr=2, maxr=1).nr_regions()
