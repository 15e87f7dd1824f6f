"""
Parameter documents: the tree of kdamonds that ``damo`` reads and writes.

The shapes are tables below; one walk over a document holds it against them.
What a document may say and this package cannot do yet is refused with its
path, never dropped.

Source:
    spec damo 2.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from .. import units
from ..errors import InvalidError
from .base import Parameters
from .intervals import Intervals
from .monitoring import Context, Kdamond, NrRegions, Target
from .scheme_document import SCHEME, to_schemes_document
from .shapes import Shape, load_file, load_tree, parse_json

CALLED: Final = "parameter document"
"""What errors call it."""

DEFAULT_INTERVALS: Final = Intervals(update_us=1_000_000)
"""What a document means that gives no intervals. The kernel updates once a minute."""

# What damo writes for a context that samples in the ordinary way.
_SAMPLE_CONTROL: Final = {
    "primitives_enabled": {"page_table": True, "page_fault": False},
    "sample_filters": [],
}


# The reading rules of spec damo 2, innermost first.
_GOAL: Final = Shape(required=("access_bp", "aggrs", "min_sample_us", "max_sample_us"))
_INTERVALS: Final = Shape(
    required=("sample_us", "aggr_us", "ops_update_us"),
    one={"intervals_goal": _GOAL},
)
_TARGET: Final = Shape(
    # A null pid and an empty list must be written out, which guards against a
    # target that somebody forgot to finish.
    required=("pid", "regions"),
    many={"regions": Shape(required=("start", "end"))},
    # A space is an object of the program; no text can stand for it.
    idle={"space": None},
)
_CONTEXT: Final = Shape(
    required=("ops", "targets"),
    one={"intervals": _INTERVALS, "nr_regions": Shape(required=("min", "max"))},
    many={"targets": _TARGET, "schemes": SCHEME},
    defaults={"intervals": DEFAULT_INTERVALS},
    # damo writes these two into every document.
    idle={"probes": [], "sample_control": _SAMPLE_CONTROL},
)
_KDAMOND: Final = Shape(
    required=("contexts",),
    # In a document that was read back from a running DAMON.
    ignored=("state", "pid"),
    many={"contexts": _CONTEXT},
)
_DOCUMENT: Final = Shape(required=("kdamonds",), many={"kdamonds": _KDAMOND})


class _Document(Parameters, frozen=True):
    """The whole document."""

    kdamonds: tuple[Kdamond, ...]
    """One per worker, in order."""


def load_document(source: object) -> tuple[Kdamond, ...]:
    """
    Read a parameter document.

    Args:
        source: JSON text, or the tree that such a text holds: an object with
            the key ``kdamonds``, or the bare list, as beside a record.

    Returns:
        The kdamonds, in the order of the document.

    Raises:
        InvalidError: If it is not JSON, or neither an object nor a list.

        ParametersError: If anything is wrong; every mistake is listed.
    """
    # damo itself takes objects only, but writes bare lists beside its records.
    tree = parse_json(source, CALLED) if isinstance(source, (str, bytes)) else source
    if isinstance(tree, list):
        tree = {"kdamonds": tree}
    if not isinstance(tree, Mapping):
        raise InvalidError(f"not a {CALLED}; expected an object with the key kdamonds")
    return load_tree(tree, _DOCUMENT, _Document).kdamonds


def load_document_file(path: str | os.PathLike[str]) -> tuple[Kdamond, ...]:
    """
    Read a parameter document from a file.

    Args:
        path: YAML if the name ends in ``.yaml`` or ``.yml``, else JSON.

    Raises:
        InputFileError: If the file cannot be read, or anything in it is wrong;
            every mistake is listed, and a ``ParametersError`` is the cause.

        MissingExtraError: If it is YAML and PyYAML is not installed.
    """
    return load_file(path, CALLED, load_document)


def to_document(
    kdamonds: Iterable[Kdamond], *, raw: bool = False, omit_defaults: bool = False
) -> dict[str, Any]:
    """
    Build the tree of a parameter document, ready for ``json.dump``.

    Args:
        kdamonds: What to write. Spaces are left out, and an operations set of
            your own is written as the name of its class, which nobody can load.

        raw: Write plain numbers. Human forms (``5 ms``) lose precision.

        omit_defaults: Leave intervals and bounds out where they say what a
            document without them says.

    Returns:
        An object with the key ``kdamonds``.
    """
    return {
        "kdamonds": [
            {
                # A number in either form, like the pid: so does damo.
                "refresh_ms": kdamond.refresh_ms,
                "contexts": [_context_tree(c, raw, omit_defaults) for c in kdamond.contexts],
            }
            for kdamond in kdamonds
        ]
    }


def _context_tree(context: Context, raw: bool, omit_defaults: bool) -> dict[str, Any]:
    # A recording of an own operations set still deserves its side file.
    ops = context.ops if isinstance(context.ops, str) else type(context.ops).__name__
    tree: dict[str, Any] = {
        "ops": str(ops),
        "addr_unit": units.format_size(context.addr_unit, raw=raw),
        "targets": [_target_tree(target, raw) for target in context.targets],
    }
    if not (omit_defaults and context.intervals == DEFAULT_INTERVALS):
        tree["intervals"] = _intervals_tree(context.intervals, raw)
    if not (omit_defaults and context.nr_regions == NrRegions()):
        tree["nr_regions"] = _nr_regions_tree(context.nr_regions, raw)
    # damo has no such key and skips it; without it the context would change
    # its meaning on the way through a file.
    if context.min_region_sz != Context().min_region_sz:
        tree["min_region_sz"] = units.format_size(context.min_region_sz, raw=raw)
    schemes = to_schemes_document(context.schemes, raw=raw, omit_defaults=omit_defaults)
    # damo writes probes always, and there are none here (see _CONTEXT).
    return tree | {"probes": [], "pause": context.pause, "schemes": schemes}


def _target_tree(target: Target, raw: bool) -> dict[str, Any]:
    # Counts and addresses have commas in human form; the pid is a JSON number.
    return {
        "pid": target.pid,
        "obsolete": target.obsolete,
        "regions": [
            {
                "start": units.format_number(each.start, raw=raw),
                "end": units.format_number(each.end, raw=raw),
            }
            for each in target.regions
        ],
    }


def _intervals_tree(intervals: Intervals, raw: bool) -> dict[str, Any]:
    goal = intervals.intervals_goal
    return {
        "sample_us": units.format_time_us(intervals.sample_us, raw=raw),
        "aggr_us": units.format_time_us(intervals.aggr_us, raw=raw),
        "ops_update_us": units.format_time_us(intervals.update_us, raw=raw),
        "intervals_goal": {
            "access_bp": units.format_bp(goal.access_bp, raw=raw),
            "aggrs": units.format_number(goal.aggrs, raw=raw),
            "min_sample_us": units.format_time_us(goal.min_sample_us, raw=raw),
            "max_sample_us": units.format_time_us(goal.max_sample_us, raw=raw),
        },
    }


def _nr_regions_tree(nr_regions: NrRegions, raw: bool) -> dict[str, Any]:
    return {
        "min": units.format_number(nr_regions.min, raw=raw),
        "max": units.format_number(nr_regions.max, raw=raw),
    }
