"""What schemes would do, side by side, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final, TypeAlias

import numpy as np

from ..arrays import FloatArray, IntArray
from ..params.keywords import word_or_name
from ..params.quotas import Quotas
from ..units import format_number, format_size, format_time_ms, format_time_ns, format_time_us
from ..whatif.outcome import NS_PER_S, Outcome, QuotaUse, SchemeOutcome

PAGE: Final = 4096
"""Bytes of a page."""

WIDTH: Final = 100
"""Columns that a table may have; what does not fit goes into another one below."""

Cell: TypeAlias = Callable[[Outcome, Outcome], str]
"""Prints one number of a run, given the run it is compared with."""


def whatif_text(
    baseline: Outcome, tried: Sequence[Outcome], *, raw: bool = False, width: int = WIDTH
) -> Iterator[str]:
    """
    Yield the lines of the report.

    Args:
        baseline: The run without schemes.

        tried: The runs with schemes.

        raw: Print plain numbers: bytes, nanoseconds.

        width: Columns of the terminal.
    """
    rows = _rows(raw)
    for chunk in _chunks(tried, [label for label, _ in rows], width):
        yield from _table(rows, baseline, chunk)
        yield ""
    for outcome in tried:
        yield outcome.name
        for index, scheme in enumerate(outcome.schemes):
            yield from _scheme_lines(index, scheme, outcome, raw)


def whatif_json(baseline: Outcome, tried: Sequence[Outcome]) -> str:
    """Print all numbers as JSON: bytes, nanoseconds, microseconds, shares from 0 to 1."""
    runs = [_tree(outcome, baseline) for outcome in (baseline, *tried)]
    return json.dumps({"baseline": runs[0], "runs": runs[1:]}, indent=1)


def spread(values: FloatArray | IntArray) -> tuple[float, float, float]:
    """Return smallest, median and largest of some values; zeros if there are none."""
    if not len(values):
        return 0.0, 0.0, 0.0
    return float(values.min()), float(np.median(values)), float(values.max())


# -- The table ---------------------------------------------------------------


def _rows(raw: bool) -> list[tuple[str, Cell]]:
    def size(number: float) -> str:
        return format_size(int(number), raw=raw)

    def time(time_ns: int) -> str:
        return _time(time_ns, raw)

    def against(cell: Cell) -> Cell:
        # The baseline against itself is nothing that anybody asks for.
        return lambda run, base: "-" if run is base else cell(run, base)

    return [
        ("memory in use, mean", lambda run, _: size(run.resident_bytes)),
        ("memory in use, at the end", lambda run, _: size(run.final_resident_bytes)),
        ("memory saved", against(lambda run, base: _percent(run.saved_share(base)))),
        ("paged out by schemes", lambda run, _: size(run.nr_paged_out * PAGE)),
        ("paged out to make room", lambda run, _: size(run.nr_reclaimed * PAGE)),
        ("refaults", lambda run, _: format_number(run.nr_refaults, raw=raw)),
        ("waiting for memory", lambda run, _: time(run.stall_ns)),
        ("slow-down, estimated", against(lambda run, base: _percent(run.slowdown(base)))),
        ("kdamond: actions", lambda run, _: _percent(run.action_share)),
        ("kdamond: looking", lambda run, _: _percent(run.check_share)),
        ("regions, mean", lambda run, _: format_number(round(run.mean_nr_regions), raw=raw)),
    ]


def _table(
    rows: Sequence[tuple[str, Cell]], baseline: Outcome, tried: Sequence[Outcome]
) -> Iterator[str]:
    runs = (baseline, *tried)
    lines = [("", *(run.name for run in runs))]
    lines += [(label, *(cell(run, baseline) for run in runs)) for label, cell in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(runs) + 1)]
    for label, *cells in lines:
        aligned = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield f"{label.ljust(widths[0])}  {'  '.join(aligned)}".rstrip()


def _chunks(
    tried: Sequence[Outcome], labels: Sequence[str], width: int
) -> Iterator[Sequence[Outcome]]:
    """Part runs into as many as fit beside each other."""
    # No number is longer than this; names may be.
    cell = 12
    left = width - max(map(len, labels)) - cell - 2
    chunk: list[Outcome] = []
    used = 0
    for outcome in tried:
        needed = max(cell, len(outcome.name)) + 2
        if chunk and used + needed > left:
            yield chunk
            chunk, used = [], 0
        chunk.append(outcome)
        used += needed
    yield chunk


# -- One scheme --------------------------------------------------------------


def _scheme_lines(index: int, scheme: SchemeOutcome, outcome: Outcome, raw: bool) -> Iterator[str]:
    stats, several = scheme.stats, len(outcome.contexts) > 1
    where = f" of context {scheme.context_idx}" if several else ""
    asleep = "" if scheme.is_active else ", asleep at the end"
    yield f"  scheme {index}{where}, {word_or_name(scheme.scheme.action)}{asleep}"
    yield f"    tried    {_amount(stats.sz_tried, stats.nr_tried, raw)}"
    yield f"    applied  {_amount(stats.sz_applied, stats.nr_applied, raw)}"
    if scheme.scheme.ops_filters:
        passed = format_size(stats.sz_ops_filter_passed, raw=raw)
        yield f"    passed   {passed} through filters"
    if scheme.quotas.is_set:
        yield from _quota_lines(scheme.quotas, scheme.quota, stats.qt_exceeds, raw)


def _amount(size: int, number: int, raw: bool) -> str:
    plural = "region" if number == 1 else "regions"
    return f"{format_size(size, raw=raw):>12} in {format_number(number, raw=raw)} {plural}"


def _quota_lines(quotas: Quotas, use: QuotaUse, nr_exceeds: int, raw: bool) -> Iterator[str]:
    low, median, high = (format_size(int(size), raw=raw) for size in spread(use.charged_bytes))
    yield f"    quota    {_limits(quotas, raw)}"
    yield (
        f"    windows  {format_number(len(use), raw=raw)}, "
        f"{format_number(nr_exceeds, raw=raw)} of them used up"
    )
    yield f"    charged  {low} / {median} / {high} per window (least, median, most)"
    shares = " / ".join(_percent(share) for share in spread(use.shares))
    yield f"    used     {shares} of what was allowed"
    if quotas.time_ms:
        low, median, high = (_time(int(spent), raw) for spent in spread(use.spent_ns))
        yield f"    took     {low} / {median} / {high} per window"


def _limits(quotas: Quotas, raw: bool) -> str:
    limits = []
    if quotas.time_ms:
        limits.append(format_time_ms(quotas.time_ms, raw=raw))
    if quotas.sz_bytes:
        limits.append(format_size(quotas.sz_bytes, raw=raw))
    limits += [f"goal {word_or_name(goal.metric)} {goal.target_value}" for goal in quotas.goals]
    weights = quotas.weights
    ratio = f"{weights.sz_permil}:{weights.nr_accesses_permil}:{weights.age_permil}"
    order = "" if ratio == "0:0:0" else f"; weights {ratio}"
    return f"{', '.join(limits)} per {format_time_ms(quotas.reset_interval_ms, raw=raw)}{order}"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _time(time_ns: int, raw: bool) -> str:
    if raw:
        return format_time_ns(time_ns, raw=True)
    # What follows the milliseconds of seconds is noise.
    return format_time_us(round(time_ns // 1000, -3 if time_ns >= NS_PER_S else 0))


# -- JSON --------------------------------------------------------------------


def _tree(outcome: Outcome, baseline: Outcome) -> dict[str, Any]:
    timeline = outcome.timeline
    return {
        "name": outcome.name,
        "duration_us": outcome.duration_us,
        "nr_programs": outcome.nr_programs,
        "mean_resident_bytes": outcome.resident_bytes,
        "final_resident_bytes": outcome.final_resident_bytes,
        "saved_share": outcome.saved_share(baseline),
        "slowdown": outcome.slowdown(baseline),
        "nr_refaults": outcome.nr_refaults,
        "nr_faults": outcome.nr_faults,
        "nr_paged_out": outcome.nr_paged_out,
        "nr_reclaimed": outcome.nr_reclaimed,
        "stall_ns": outcome.stall_ns,
        "action_share": outcome.action_share,
        "check_share": outcome.check_share,
        "nr_snapshots": outcome.nr_snapshots,
        "mean_nr_regions": outcome.mean_nr_regions,
        "cpu_s": outcome.cpu_s,
        "schemes": [_scheme_tree(scheme) for scheme in outcome.schemes],
        "timeline": {
            "time_us": timeline.time_us.tolist(),
            "resident_bytes": timeline.resident_bytes.tolist(),
            "nr_refaults": timeline.nr_refaults.tolist(),
            "stall_ns": timeline.stall_ns.tolist(),
            "work_ns": timeline.work_ns.tolist(),
        },
    }


def _scheme_tree(scheme: SchemeOutcome) -> dict[str, Any]:
    use = scheme.quota
    return {
        "context_idx": scheme.context_idx,
        "action": word_or_name(scheme.scheme.action),
        "is_active": scheme.is_active,
        "stats": asdict(scheme.stats),
        "windows": {
            "start_us": use.start_us.tolist(),
            "charged_bytes": use.charged_bytes.tolist(),
            "allowed_bytes": [int(size) for size in use.allowed_bytes.tolist()],
            "spent_ns": use.spent_ns.tolist(),
        },
    }
