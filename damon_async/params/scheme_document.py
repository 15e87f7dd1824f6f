"""
Schemes in documents: as part of a parameter document, or alone.

Source:
    spec damo 2 and 7.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from .. import units
from ..errors import InvalidError
from ..units import U64_MAX
from .base import Parameters
from .filters import Filter
from .keywords import word_or_name
from .patterns import AccessBounds, AccessPattern, AccessUnit, AgeBounds, AgeUnit
from .quotas import Goal, Quotas, Watermarks
from .scheme_lines import load_scheme_lines
from .schemes import Scheme
from .shapes import Shape, load_file, load_tree, parse_json

CALLED: Final = "scheme document"
"""What errors call it."""


def _modern_goal(tree: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Read a goal of the release that knew of no other metric than what users say."""
    # That release had no metric at all, so that the key is not asked for.
    older = {"target_value_bp": "target_value", "current_value_bp": "current_value"}
    if older.keys().isdisjoint(tree):
        return tree
    return {"metric": "user_input", **{older.get(key, key): tree[key] for key in tree}}


def _modern_filter(tree: Mapping[Any, Any]) -> Mapping[Any, Any]:
    # What `allow` was called when filters learned to allow.
    return {"allow" if key == "filter_pass" else key: tree[key] for key in tree}


# The reading rules of spec damo 2, innermost first.
_BOUNDS: Final = Shape(
    required=("min", "max"),
    # damo knows units in texts only, and would skip this.
    idle={"unit": None},
)
_PATTERN: Final = Shape(
    required=("sz_bytes", "nr_accesses", "age"),
    # Written by some older releases; the texts say the same.
    ignored=("sz_bytes_unit", "nr_accesses_unit", "age_unit"),
    one={
        "sz_bytes": Shape(required=("min", "max")),
        "nr_accesses": _BOUNDS,
        "age": _BOUNDS,
    },
)
_GOAL: Final = Shape(
    required=("metric", "target_value", "current_value"),
    idle={"complement": False},
    modern=_modern_goal,
)
_QUOTAS: Final = Shape(
    required=("time_ms", "sz_bytes", "reset_interval_ms", "weights"),
    # What came out of the limits in a running DAMON, not one of them.
    ignored=("effective_sz_bytes",),
    one={"weights": Shape(required=("sz_permil", "nr_accesses_permil", "age_permil"))},
    many={"goals": _GOAL},
)
_WATERMARKS: Final = Shape(
    required=("metric", "interval_us", "high_permil", "mid_permil", "low_permil"),
)
_FILTER: Final = Shape(
    required=("filter_type", "matching"),
    one={"address_range": Shape(required=("start", "end"))},
    idle={"probe_hits_wsum_range": None},
    modern=_modern_filter,
)
SCHEME: Final = Shape(
    ignored=("stats", "tried_regions"),
    one={"access_pattern": _PATTERN, "quotas": _QUOTAS, "watermarks": _WATERMARKS},
    many={"filters": _FILTER, "dests": Shape(required=("id", "weight"))},
)
"""One scheme, wherever it stands."""

_SCHEMES: Final = Shape(required=("schemes",), many={"schemes": SCHEME})


class _Schemes(Parameters, frozen=True):
    """The whole document."""

    schemes: tuple[Scheme, ...]
    """In order of their application."""


def load_schemes(source: object) -> tuple[Scheme, ...]:
    """
    Read schemes that stand alone.

    Args:
        source: JSON text, the list that such a text holds, or schemes in the
            old form of one line each.

    Returns:
        The schemes, in the order of the document.

    Raises:
        InvalidError: If it is none of these.

        ParametersError: If anything is wrong; every mistake is listed.
    """
    # By content, not by name: the command line also takes schemes as text.
    if isinstance(source, (str, bytes)) and _is_lines(source):
        return load_scheme_lines(source)
    tree = parse_json(source, CALLED) if isinstance(source, (str, bytes)) else source
    if not isinstance(tree, list):
        raise InvalidError(f"not a {CALLED}; expected a list of schemes")
    # Under a name, so that paths of mistakes do not begin with a bare index.
    return load_tree({"schemes": tree}, _SCHEMES, _Schemes).schemes


def load_schemes_file(path: str | os.PathLike[str]) -> tuple[Scheme, ...]:
    """
    Read schemes from a file, as ``load_schemes`` does.

    Args:
        path: YAML if the name ends in ``.yaml`` or ``.yml``.

    Raises:
        InputFileError: If the file cannot be read, or anything in it is wrong;
            every mistake is listed, and a ``ParametersError`` is the cause.

        MissingExtraError: If it is YAML and PyYAML is not installed.
    """
    return load_file(path, CALLED, load_schemes)


def to_schemes_document(
    schemes: Iterable[Scheme], *, raw: bool = False, omit_defaults: bool = False
) -> list[dict[str, Any]]:
    """
    Build the tree of a document of schemes alone, ready for ``json.dump``.

    Args:
        schemes: What to write. Functions of your own are written by their
            names, which nobody can load.

        raw: Write plain numbers, each in the unit of its field. Human forms
            (``5 ms``) lose precision. Differs: ``damo`` writes the times of
            schemes in nanoseconds here, which it misreads afterwards.

        omit_defaults: Leave out what limits nothing.
    """
    return [scheme_tree(scheme, raw=raw, omit_defaults=omit_defaults) for scheme in schemes]


def scheme_tree(scheme: Scheme, *, raw: bool, omit_defaults: bool) -> dict[str, Any]:
    """Build the tree of one scheme; the arguments are those of ``to_schemes_document``."""
    action = word_or_name(scheme.action)
    tree: dict[str, Any] = {
        "action": action,
        "dests": [{"id": dest.id, "weight": dest.weight} for dest in scheme.dests],
    }
    # damo writes a node for these two only, null if there are several.
    if action.startswith("migrate_"):
        tree["target_nid"] = scheme.target_nid
    # damo has neither key and skips them; without them a scheme would change its
    # meaning on the way through a file.
    if scheme.name:
        tree["name"] = scheme.name
    if scheme.max_nr_snapshots:
        tree["max_nr_snapshots"] = units.format_number(scheme.max_nr_snapshots, raw=raw)
    # The order of damo, so that documents can be compared line by line.
    if not (omit_defaults and scheme.access_pattern == AccessPattern()):
        tree["access_pattern"] = _pattern_tree(scheme.access_pattern, raw)
    # Always, as damo does: defaults are left out only where they are whole
    # objects (spec damo 2).
    tree["apply_interval_us"] = units.format_time_us(scheme.apply_interval_us, raw=raw)
    if not (omit_defaults and _limits_nothing(scheme.quotas)):
        tree["quotas"] = _quotas_tree(scheme.quotas, raw)
    if not (omit_defaults and scheme.watermarks == Watermarks()):
        tree["watermarks"] = _watermarks_tree(scheme.watermarks, raw)
    if not (omit_defaults and not scheme.filters):
        tree["filters"] = [_filter_tree(each, raw) for each in scheme.filters]
    return tree


def _is_lines(text: str | bytes) -> bool:
    """Tell whether a text can only be schemes of one line each."""
    start = text.strip()[:1]
    # A list is what we want, an object is what people confuse it with, and a
    # text of nothing at all is more likely a broken file than no schemes.
    return start not in ("[", "{", "", b"[", b"{", b"")


def _limits_nothing(quotas: Quotas) -> bool:
    # damo's default is a window without end, the kernel's one without length.
    return quotas in (Quotas(), Quotas(reset_interval_ms=U64_MAX))


def _pattern_tree(pattern: AccessPattern, raw: bool) -> dict[str, Any]:
    sizes, rates, ages = pattern.sz_bytes, pattern.nr_accesses, pattern.age
    return {
        "sz_bytes": _bounds_tree(
            units.format_size(size, raw=raw) for size in (sizes.min, sizes.max)
        ),
        "nr_accesses": _bounds_tree(_rate_text(rate, rates) for rate in (rates.min, rates.max)),
        "age": _bounds_tree(_age_text(age, ages, raw) for age in (ages.min, ages.max)),
    }


def _bounds_tree(texts: Iterable[str]) -> dict[str, str]:
    low, high = texts
    return {"min": low, "max": high}


def _rate_text(rate: float, bounds: AccessBounds) -> str:
    """Print an access frequency without loss: damo has no raw form of it."""
    # damo takes no max here, where the other bound names its unit.
    if bounds.unit is AccessUnit.SAMPLES:
        return f"{rate} samples"
    # As digits, for "1e-07 %" can be read by nobody.
    return "max" if rate >= U64_MAX else f"{Decimal(repr(rate)).normalize():f} %"


def _age_text(age: int, bounds: AgeBounds, raw: bool) -> str:
    if bounds.unit is AgeUnit.AGGR_INTERVALS:
        return f"{age} aggr_intervals"
    # The exact form: damo spells ages out, and only ages.
    return str(age) if raw else units.format_time_exact(age * 1000)


def _quotas_tree(quotas: Quotas, raw: bool) -> dict[str, Any]:
    weights = quotas.weights
    return {
        "time_ms": units.format_time_ms(quotas.time_ms, raw=raw),
        "sz_bytes": units.format_size(quotas.sz_bytes, raw=raw),
        "reset_interval_ms": units.format_time_ms(quotas.reset_interval_ms, raw=raw),
        "fail_charge_num": units.format_number(quotas.fail_charge_num, raw=raw),
        "fail_charge_denom": units.format_number(quotas.fail_charge_denom, raw=raw),
        "goals": [_goal_tree(goal, raw) for goal in quotas.goals],
        "goal_tuner": str(quotas.goal_tuner),
        # Nothing is in effect yet; damo has the key in every document.
        "effective_sz_bytes": units.format_size(0, raw=raw),
        "weights": {
            "sz_permil": units.format_permil(weights.sz_permil, raw=raw),
            "nr_accesses_permil": units.format_permil(weights.nr_accesses_permil, raw=raw),
            "age_permil": units.format_permil(weights.age_permil, raw=raw),
        },
    }


def _goal_tree(goal: Goal, raw: bool) -> dict[str, Any]:
    return {
        "metric": word_or_name(goal.metric),
        # Written for damo, which has more of a goal than we do (see _GOAL).
        "complement": False,
        "nid": _number_or_none(goal.nid, raw),
        "memcg_path": goal.memcg_path,
        "target_value": units.format_number(goal.target_value, raw=raw),
        "current_value": units.format_number(goal.current_value, raw=raw),
    }


def _watermarks_tree(watermarks: Watermarks, raw: bool) -> dict[str, Any]:
    return {
        "metric": word_or_name(watermarks.metric),
        "interval_us": units.format_time_us(watermarks.interval_us, raw=raw),
        "high_permil": units.format_permil(watermarks.high_permil, raw=raw),
        "mid_permil": units.format_permil(watermarks.mid_permil, raw=raw),
        "low_permil": units.format_permil(watermarks.low_permil, raw=raw),
    }


def _filter_tree(each: Filter, raw: bool) -> dict[str, Any]:
    bounds, sizes = each.address_range, each.hugepage_size
    return {
        "filter_type": str(each.filter_type),
        "matching": each.matching,
        "allow": each.allow,
        "memcg_path": each.memcg_path,
        "address_range": None
        if bounds is None
        else {
            "start": units.format_number(bounds.start, raw=raw),
            "end": units.format_number(bounds.end, raw=raw),
        },
        "damon_target_idx": _number_or_none(each.damon_target_idx, raw),
        "hugepage_size": None
        if sizes is None
        else [units.format_size(size, raw=raw) for size in (sizes.min, sizes.max)],
        "probe_hits_wsum_range": None,
    }


def _number_or_none(number: int | None, raw: bool) -> str | None:
    return None if number is None else units.format_number(number, raw=raw)
