"""
From the values of files to parameters that say the same.

Parameters refuse what makes no sense; files do not. So a tree may hold what no
document can say; then lines are the form to dump it in.

Source:
    spec interfaces 1 and 2.4, and damo 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..errors import InvalidError, ParametersError
from ..params.document import load_document
from ..params.keywords import FilterType, GoalMetric
from ..params.monitoring import Kdamond
from .admin import ADMIN
from .lookup import declared_file
from .node import MAX_CHILDREN
from .scheme_files import FILTER_DIRECTORIES
from .stored_tree import Values, is_setting, text_of

PAGE: Final = 4096


def kdamonds_of(values: Values) -> tuple[Kdamond, ...]:
    """
    Return the parameters that the files of a sysfs tree say.

    Args:
        values: By path from the root. Files that a release does not have count as
            holding their default.

    Raises:
        InvalidError: If what they hold makes no sense; every mistake is listed, with
            the way to it in a document.
    """
    root = _Place(values, "")
    # By way of a document and not of models: its reader lists all mistakes at once.
    tree = {"kdamonds": [_kdamond_tree(each) for each in root.children("kdamonds", "kdamonds")]}
    try:
        return load_document(tree)
    except ParametersError as error:
        why = "the tree holds what no document can say, and lines could"
        raise InvalidError(f"{why}: {error}") from error


class _Place:
    """
    A directory among values.

    Args:
        values: By path from the root.

        path: The directory.
    """

    def __init__(self, values: Values, path: str) -> None:
        self._values = values
        self._path = path

    def below(self, name: str) -> _Place:
        """Return a directory in it."""
        return _Place(self._values, f"{self._path}/{name}".lstrip("/"))

    def text(self, name: str) -> str:
        """Return what a file says, or what it would at first."""
        path = f"{self._path}/{name}".lstrip("/")
        # The latest tree of all: a file that a release lacks stands for its default.
        file = declared_file(ADMIN, path)
        default = text_of(file.kind.show(file.default)) if is_setting(file) and file else ""
        return self._values.get(path, default)

    def number(self, name: str) -> int:
        """
        Return the number in a file.

        Raises:
            InvalidError: If it is none.
        """
        # A dump may have been written by hand; trees say decimals.
        text = self.text(name)
        try:
            return int(text)
        except ValueError:
            raise InvalidError(f"{self._path}/{name}: {text!r} is not a number") from None

    def flag(self, name: str) -> bool:
        """Return what a file of Y or N says."""
        # As files read them, by the first letter; they always print a capital one.
        return self.text(name)[:1] in ("Y", "y", "1")

    def children(self, name: str, counted: str) -> Iterator[_Place]:
        """Go through the numbered directories in the directory *name*."""
        place = self.below(name)
        count = place.number(f"nr_{counted}")
        # Nothing but a dump written by hand can say so, and it would fill all memory.
        if count > MAX_CHILDREN:
            raise InvalidError(f"{name}/nr_{counted}: {count} are too many; at most {MAX_CHILDREN}")
        for index in range(count):
            yield place.below(str(index))


def _kdamond_tree(place: _Place) -> dict[str, Any]:
    contexts = place.children("contexts", "contexts")
    return {
        "refresh_ms": place.number("refresh_ms"),
        "contexts": [_context_tree(each) for each in contexts],
    }


def _context_tree(place: _Place) -> dict[str, Any]:
    ops, attrs = place.text("operations"), place.below("monitoring_attrs")
    # Other sets do not look at the unit, and documents refuse it there.
    unit = place.number("addr_unit") if ops == "paddr" else 1
    tree = {
        "ops": ops,
        "addr_unit": unit,
        "pause": place.flag("pause"),
        "intervals": _intervals_tree(attrs.below("intervals")),
        "nr_regions": _numbers(attrs.below("nr_regions"), "min", "max"),
        # No document says them yet; named, so that they are refused and not dropped.
        "probes": [{} for _ in attrs.children("probes", "probes")],
        "targets": [_target_tree(each, ops) for each in place.children("targets", "targets")],
        "schemes": [_scheme_tree(each) for each in place.children("schemes", "schemes")],
    }
    # What the kernel takes for such a unit; documents have another default.
    return tree | ({"min_region_sz": max(PAGE // unit, 1)} if unit > 1 else {})


def _numbers(place: _Place, *names: str) -> dict[str, Any]:
    return {name: place.number(name) for name in names}


def _intervals_tree(place: _Place) -> dict[str, Any]:
    goal = place.below("intervals_goal")
    return {
        **_numbers(place, "sample_us", "aggr_us"),
        # damo's name for it.
        "ops_update_us": place.number("update_us"),
        "intervals_goal": _numbers(goal, "access_bp", "aggrs", "min_sample_us", "max_sample_us"),
    }


def _target_tree(place: _Place, ops: str) -> dict[str, Any]:
    return {
        "pid": None if ops == "paddr" else place.number("pid_target"),
        "obsolete": place.flag("obsolete_target"),
        "regions": [
            _numbers(each, "start", "end") for each in place.children("regions", "regions")
        ],
    }


def _scheme_tree(place: _Place) -> dict[str, Any]:
    action, node = place.text("action"), place.number("target_nid")
    is_migration = action.startswith("migrate_")
    # In one list, as documents have them: only the order within a list means anything.
    filters = [
        _filter_tree(each)
        for name in FILTER_DIRECTORIES
        for each in place.children(name, "filters")
    ]
    dests = [_numbers(each, "id", "weight") for each in place.children("dests", "dests")]
    # Weights of zero say nothing, and the one node decides (as where schemes are built).
    has_dests = is_migration and any(dest["weight"] for dest in dests)
    tree = {
        "action": action,
        "access_pattern": _pattern_tree(place.below("access_pattern")),
        "apply_interval_us": place.number("apply_interval_us"),
        "quotas": _quotas_tree(place.below("quotas")),
        "watermarks": _watermarks_tree(place.below("watermarks")),
        "filters": filters,
        "dests": dests if has_dests else [],
        "max_nr_snapshots": place.below("stats").number("max_nr_snapshots"),
    }
    return tree | ({"target_nid": node} if is_migration and node >= 0 else {})


def _pattern_tree(place: _Place) -> dict[str, Any]:
    tree: dict[str, Any] = {"sz_bytes": _numbers(place.below("sz"), "min", "max")}
    for name, unit in (("nr_accesses", "samples"), ("age", "aggr_intervals")):
        bounds = _numbers(place.below(name), "min", "max")
        # Plain numbers would be percent and microseconds there.
        tree[name] = {end: f"{number} {unit}" for end, number in bounds.items()}
    return tree


def _quotas_tree(place: _Place) -> dict[str, Any]:
    weights = ("sz_permil", "nr_accesses_permil", "age_permil")
    # Goals without a target are passed over where schemes are built, too.
    goals = [each for each in place.children("goals", "goals") if each.number("target_value")]
    return {
        "time_ms": place.number("ms"),
        "sz_bytes": place.number("bytes"),
        "reset_interval_ms": place.number("reset_interval_ms"),
        "weights": _numbers(place.below("weights"), *weights),
        "goals": [_goal_tree(each) for each in goals],
        "goal_tuner": place.text("goal_tuner"),
        **_numbers(place, "fail_charge_num", "fail_charge_denom"),
    }


def _goal_tree(place: _Place) -> dict[str, Any]:
    metric = place.text("target_metric")
    # An unknown word goes on: the reader of documents refuses it and lists what there is.
    known = GoalMetric(metric) if metric in list(GoalMetric) else None
    return {
        "metric": metric,
        **_numbers(place, "target_value", "current_value"),
        "nid": place.number("nid") if known and known.needs_nid else None,
        "memcg_path": place.text("path").removesuffix("\n")
        if known and known.needs_memcg
        else None,
    }


def _watermarks_tree(place: _Place) -> dict[str, Any]:
    marks = {f"{name}_permil": place.number(name) for name in ("high", "mid", "low")}
    return {"metric": place.text("metric"), "interval_us": place.number("interval_us"), **marks}


def _filter_tree(place: _Place) -> dict[str, Any]:
    kind = place.text("type")
    tree: dict[str, Any] = {
        "filter_type": kind,
        "matching": place.flag("matching"),
        "allow": place.flag("allow"),
    }
    # Files for all types are there always; documents name the ones that count.
    if kind == FilterType.MEMCG:
        tree["memcg_path"] = place.text("memcg_path").removesuffix("\n")
    elif kind == FilterType.ADDR:
        start, end = (place.number(f"addr_{name}") for name in ("start", "end"))
        tree["address_range"] = {"start": start, "end": end}
    elif kind == FilterType.TARGET:
        tree["damon_target_idx"] = place.number("damon_target_idx")
    elif kind == FilterType.HUGEPAGE_SIZE:
        tree["hugepage_size"] = [place.number("min"), place.number("max")]
    return tree
