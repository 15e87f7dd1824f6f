"""`damon-async report accuracy`: estimate beside truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, TypeAlias

from cyclopts import Group, Parameter

from ..errors import InvalidError
from ..records.record import Record
from ..records.side_files import Workload, read_workloads, workload_path
from ..reports.accuracy_plot import plot_accuracy
from ..reports.accuracy_text import accuracy_json, accuracy_text
from ..reports.colors import ColorSet
from ..reports.comparison import (
    FINE_RESOLUTION,
    TEXT_RESOLUTION,
    Comparison,
    ComparisonOptions,
    compare,
)
from ..spaces.space import Space
from .inputs import absolute_spec, open_input
from .quantities import Count, CountPair, Percent, choice_of
from .report_common import (
    DEFAULT_INPUT,
    INPUT_GROUP,
    STDOUT,
    Input,
    colors_if_any,
    emit,
    load_records,
)
from .report_ranges import RangeWords, address_range_of

TRUTH: Final = Group("Truth", sort_key=2)
FIGURES: Final = Group("Figures", sort_key=3)
LOOK: Final = Group("Layout", sort_key=4)

Identity: TypeAlias = tuple[int, int, int, int]
"""Kdamond, context, scheme and target of a record."""


@Parameter(name="*", group=TRUTH)
@dataclass(frozen=True, kw_only=True)
class TruthOptions:
    """What was really there."""

    workload: Annotated[str | None, Parameter(metavar="SPEC")] = None
    """What was recorded. Default: what `record` wrote into FILE.workload."""

    seed: Count | None = None
    """The seed it was recorded with. Default: as written there, else 0."""


@Parameter(name="*", group=FIGURES)
@dataclass(frozen=True, kw_only=True)
class FigureOptions:
    """What is compared, and how finely."""

    # Not damo's --access_rate, which is a filter with two ends.
    hot_rate: Percent = 50
    """In what share of the sampling intervals memory must have been touched to be
    hot; above 0, at most 100."""

    every: Count = 1
    """Look only at every so many-th snapshot, where the truth is dear."""

    exclude_samples: Count = 20
    """How many snapshots at the beginning do not count, while regions still settle."""

    tid: Annotated[Count | None, Parameter(group=INPUT_GROUP)] = None
    """Only this target, by its number. Default: all, one after the other."""

    kdamond_idx: Annotated[Count | None, Parameter(group=INPUT_GROUP)] = None
    """Only this kdamond. Default: all."""


@Parameter(name="*", group=LOOK)
@dataclass(frozen=True, kw_only=True)
class AccuracyLook:
    """How the report looks."""

    resol: Annotated[CountPair | None, Parameter(metavar="ROWS COLUMNS")] = None
    """Cells of each heatmap. Default: 30 38 as text, 300 300 as a picture."""

    address_range: RangeWords = ()
    """Addresses of the heatmaps, such as 4G 5G; with a BASE of "guided" they count
    from the beginning of the hottest range. Default: the hottest range."""

    stdout_colorset: Annotated[ColorSet, choice_of(ColorSet)] = ColorSet.GRAY
    """Colours of the digits, on a terminal."""

    skip_heatmap: bool = False
    """Print figures only."""

    per_snapshot: bool = False
    """Tell every snapshot by itself as well."""

    raw_number: bool = False
    """Print plain numbers: bytes, nanoseconds, percent."""

    json: bool = False
    """Print JSON; shares are from 0 to 1."""


def accuracy(
    *,
    input: Input = DEFAULT_INPUT,
    output: Annotated[str, Parameter(group=LOOK, metavar="stdout|FILE")] = STDOUT,
    truth: TruthOptions = TruthOptions(),
    figures: FigureOptions = FigureOptions(),
    look: AccuracyLook = AccuracyLook(),
) -> None:
    """
    Show how the estimate compares with the truth: heatmaps side by side, and figures.

    A page's true rate is the share of a snapshot's sampling intervals in which it
    was touched. Precision is the share of the memory said to be hot that was;
    recall the share of the hot memory that was said to be.

    Args:
        input: A record of a workload that is still there.

        output: Text on stdout, or a picture (.png, .svg, .pdf or .jpg).

        truth: What was really there.

        figures: What is compared.

        look: How the report looks.
    """
    # damo's word for text, as with heatmaps; a dash would be a name like any other.
    is_text = output == STDOUT
    records = load_records(input)
    chosen = _chosen(records, figures)
    options = _options(figures, look, TEXT_RESOLUTION if is_text else FINE_RESOLUTION)
    # Before the truth is worked out, which may take a while.
    if not is_text and len(chosen) > 1:
        raise InvalidError(f"a picture shows one target; choose one of {_listed(chosen)}")
    sources = _sources(input, records, truth)
    comparisons = _comparisons(chosen, sources, options)
    if not is_text:
        plot_accuracy(next(comparisons), output)
    elif look.json:
        # One target is an object, several are a list: most records have one.
        texts = [accuracy_json(each) for each in comparisons]
        emit(texts if len(texts) == 1 else [f"[{', '.join(texts)}]"])
    else:
        emit(_texts(comparisons, look))


def _options(
    figures: FigureOptions, look: AccuracyLook, usual_resolution: tuple[int, int]
) -> ComparisonOptions:
    # People say percent, arithmetic wants shares.
    return ComparisonOptions(
        rate=figures.hot_rate / 100,
        every=figures.every,
        exclude_samples=figures.exclude_samples,
        resol=look.resol or usual_resolution,
        address_range=address_range_of(look.address_range),
    )


def _chosen(records: Sequence[Record], figures: FigureOptions) -> list[Record]:
    """Return the records that are asked for, in the order of their targets."""
    # None chooses everything, so that the two conditions read alike.
    chosen = [
        record
        for record in sorted(records, key=_identity)
        if figures.tid in {None, record.target_id}
        and figures.kdamond_idx in {None, record.kdamond_idx}
    ]
    if not chosen:
        raise InvalidError(f"there is no such target; choose one of {_listed(records)}")
    return chosen


def _sources(
    path: str, records: Sequence[Record], truth: TruthOptions
) -> Mapping[Identity, Workload]:
    """Say what memory each record was made of."""
    identities = sorted(map(_identity, records))
    if truth.workload is not None:
        # For all of them; if there are several, --tid says which one is meant.
        workload = Workload(absolute_spec(truth.workload), truth.seed or 0)
        return dict.fromkeys(identities, workload)
    if not workload_path(path).exists():
        raise InvalidError(
            f"nothing beside {path} says what was recorded: there is no {workload_path(path)}; "
            "name it with --workload"
        )
    # Written in the order of targets, over all kdamonds; that is all that connects
    # the two files, so nothing is guessed if they differ.
    workloads = read_workloads(path)
    if len(workloads) != len(identities):
        raise InvalidError(
            f"{workload_path(path)} names {len(workloads)} workloads, but {path} has "
            f"{len(identities)} targets; choose one with --tid, and its workload with --workload"
        )
    if truth.seed is not None:
        workloads = [replace(each, seed=truth.seed) for each in workloads]
    return dict(zip(identities, workloads, strict=True))


def _comparisons(
    records: Sequence[Record], sources: Mapping[Identity, Workload], options: ComparisonOptions
) -> Iterator[Comparison]:
    # Targets may share a workload, and a trace takes a while to open.
    spaces: dict[tuple[str, int], Space] = {}
    for record in records:
        source = sources[_identity(record)]
        key = (source.spec, source.seed)
        if key not in spaces:
            spaces[key] = open_input(source.spec, seed=source.seed)
        yield compare(record, spaces[key], options)


def _texts(comparisons: Iterator[Comparison], look: AccuracyLook) -> Iterator[str]:
    # As they come: the first can be read while the second is worked out.
    for index, comparison in enumerate(comparisons):
        if index:
            yield ""
        yield accuracy_text(
            comparison,
            colors=colors_if_any(look.stdout_colorset),
            has_heatmaps=not look.skip_heatmap,
            per_snapshot=look.per_snapshot,
            raw=look.raw_number,
        )


def _identity(record: Record) -> Identity:
    return record.identity


def _listed(records: Sequence[Record]) -> str:
    names = (f"--kdamond_idx {each.kdamond_idx} --tid {each.target_id}" for each in records)
    return "; ".join(names)
