"""All scenarios: what the suite and ``damon-async stress`` run under many schedules."""

from __future__ import annotations

from typing import Final

from . import engine_scenarios as engine, tree_scenarios as trees
from .engine_scenarios import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (
    engine.gate_cancellations,
    engine.mixed_starts,
    engine.refused_starts,
    engine.cancelled_starts,
    engine.early_ends,
    engine.commits_and_stops,
    engine.crash_in_step,
    engine.shutdown,
    engine.subscribers,
    engine.quotas_and_targets,
    trees.two_trees,
    trees.clients_that_die,
)
"""Twelve of them."""
