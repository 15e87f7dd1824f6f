"""What a recording will do, worked out and checked before it begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .. import units
from ..errors import InvalidError
from ..params.document import load_document, load_document_file
from ..params.monitoring import Context, Kdamond, Ops
from ..records import side_files
from .inputs import absolute_spec, open_input
from .options import ParameterOptions
from .targets import Workload, context_of, describe, with_spaces

_DOCUMENT_SUFFIXES: Final = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class Plan:
    """A recording, ready to run."""

    kdamonds: tuple[Kdamond, ...]
    """With the memory of every target."""

    workloads: tuple[Workload, ...]
    """What the user named, in that order."""

    sources: tuple[side_files.Workload, ...]
    """How the memory of each target is found again, over all kdamonds."""

    @property
    def contexts(self) -> tuple[Context, ...]:
        """One per kdamond."""
        return tuple(kdamond.contexts[0] for kdamond in self.kdamonds)

    @property
    def lifetime_us(self) -> int | None:
        """When the last workload is over, None if one never is; microseconds."""
        ends = [workload.space.lifetime_us for workload in self.workloads]
        known = [end for end in ends if end is not None]
        # One that never ends keeps the others company.
        return max(known) if len(known) == len(ends) else None

    def duration_us(self, timeout_us: int | None, *, is_virtual: bool) -> int | None:
        """
        Return how long to record; None until somebody stops it.

        Args:
            timeout_us: What the user said; None for the workloads' lifetime.

            is_virtual: In virtual time nobody could stop it in time.

        Raises:
            InvalidError: If it would never end, or be over before it begins.
        """
        duration_us = self.lifetime_us if timeout_us is None else timeout_us
        if duration_us is None and is_virtual:
            names = ", ".join(workload.spec for workload in self.workloads)
            raise InvalidError(
                f"{names} never ends: say how long to record, such as --timeout 60 (seconds)"
            )
        # Said now: an empty record at the end would be a waste of somebody's time.
        shortest_us = min(context.intervals.aggr_us for context in self.contexts)
        if duration_us is not None and duration_us < shortest_us:
            raise InvalidError(
                f"recording {units.format_time_us(duration_us)} ends before the first "
                f"aggregation of {units.format_time_us(shortest_us)} does; "
                "record longer or choose a shorter --aggr"
            )
        return duration_us

    def describe(self) -> str:
        """Say in a line what will be monitored, and how."""
        names = ", ".join(workload.spec for workload in self.workloads)
        return f"{names}: {'; '.join(_manner(context) for context in self.contexts)}"


def make_plan(
    specs: Sequence[str], document: str | None, options: ParameterOptions, seed: int
) -> Plan:
    """
    Open the workloads and say how to monitor them.

    Args:
        specs: What the user calls the workloads: one per target, or one for all.

        document: A parameter document, as JSON text or as the name of a file;
            None if *options* have the parameters.

        options: The parameters.

        seed: Of what is random in the workloads.

    Raises:
        InvalidError: If there is no workload, a document and options are given
            together, or the workloads do not fit the targets.

        ParametersError: If parameters are wrong.

        InputFileError: If a file is.
    """
    if document is None:
        workloads = _open(specs, seed)
        context = context_of(options, workloads)
        kdamonds = (Kdamond([context], options.refresh_stat or 0),)
        return Plan(kdamonds, workloads, _sources(workloads, seed))
    # Neither could win without somebody being surprised.
    if given := options.given():
        raise InvalidError(f"--kdamonds holds all parameters; leave out {', '.join(given)}")
    # The document before the workloads: a trace takes a while to open.
    parsed = load_kdamonds(document)
    workloads = _open(specs, seed)
    per_target = _per_target(workloads, _nr_targets(parsed))
    return Plan(tuple(_with_memory(parsed, per_target)), workloads, _sources(per_target, seed))


def load_kdamonds(document: str) -> tuple[Kdamond, ...]:
    """
    Read a parameter document: JSON text, or the name of a file.

    Raises:
        InvalidError: If it cannot be read or anything in it is wrong.
    """
    if document.lstrip()[:1] in ("{", "["):
        return load_document(document)
    return load_document_file(document)


def looks_like_document(text: str) -> bool:
    """Tell whether damo would take a positional argument for a parameter document."""
    # By name alone: a workload of that name can be given with --workload.
    return text.lstrip()[:1] in ("{", "[") or text.endswith(_DOCUMENT_SUFFIXES)


def _open(specs: Sequence[str], seed: int) -> tuple[Workload, ...]:
    if not specs:
        raise InvalidError(
            "nothing to monitor: name a workload, such as stairs.cfg, a trace, or "
            "zipf:size=1G; see damon-async workloads"
        )
    return tuple(Workload(spec, open_input(spec, seed=seed)) for spec in specs)


def _sources(workloads: Sequence[Workload], seed: int) -> tuple[side_files.Workload, ...]:
    # Absolute, because reports may be asked for from another folder.
    return tuple(side_files.Workload(absolute_spec(each.spec), seed) for each in workloads)


def _nr_targets(kdamonds: Sequence[Kdamond]) -> int:
    return sum(len(kdamond.contexts[0].targets) for kdamond in kdamonds)


def _per_target(workloads: tuple[Workload, ...], nr_targets: int) -> tuple[Workload, ...]:
    if not nr_targets:
        raise InvalidError("the parameter document has no targets, so there is nothing to monitor")
    if len(workloads) == 1:
        return workloads * nr_targets
    if len(workloads) != nr_targets:
        raise InvalidError(
            f"{len(workloads)} workloads do not fit {nr_targets} targets: "
            "name one for all, or one each"
        )
    return workloads


def _with_memory(kdamonds: Sequence[Kdamond], workloads: Sequence[Workload]) -> Iterator[Kdamond]:
    """Give each target the next workload."""
    first = 0
    for kdamond in kdamonds:
        context = kdamond.contexts[0]
        # Targets are counted through all kdamonds.
        end = first + len(context.targets)
        yield kdamond.model_copy(update={"contexts": (with_spaces(context, workloads[first:end]),)})
        first = end


def _manner(context: Context) -> str:
    intervals, bounds = context.intervals, context.nr_regions
    times = (intervals.sample_us, intervals.aggr_us, intervals.update_us)
    # Only vaddr re-reads anything, so only there the third one matters.
    nr_times = 3 if context.ops is Ops.VADDR else 2
    listed = " / ".join(units.format_time_us(time_us) for time_us in times[:nr_times])
    number = units.format_number
    tuned = ", tuned" if intervals.intervals_goal.aggrs else ""
    regions = f"{number(bounds.min)} to {number(bounds.max)} regions"
    return f"{describe(context)}; {listed}{tuned}; {regions}"
