"""
damo's options for a scheme, as one group.

They make the same tree that a document holds; so they are read, checked and
complained about in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final

from cyclopts import Group, Parameter

from ..errors import InvalidError, ParametersError, Problem
from ..params.keywords import FilterType, GoalMetric
from ..params.schemes import Scheme

GROUP: Final = Group("A scheme of options", sort_key=11)

_PATTERN: Final = {
    "damos_sz_region": "sz_bytes",
    "damos_access_rate": "nr_accesses",
    "damos_age": "age",
}
_WATERMARKS: Final = ("metric", "interval_us", "high_permil", "mid_permil", "low_permil")
_WEIGHTS: Final = ("sz_permil", "nr_accesses_permil", "age_permil")
_PIECES: Final = (
    "damos_quota_interval",
    "damos_quota_time",
    "damos_quota_space",
    "damos_quota_weights",
)
_FILTER_WORDS: Final = ("allow", "reject")

# Weights that damo takes if only the interval of a quota is said. Source: spec damo 1.1.
_USUAL_WEIGHTS: Final = ("1", "1", "1")


def _words(nr_words: int, metavar: str) -> Parameter:
    return Parameter(n_tokens=nr_words, metavar=metavar, show_default=False)


def _many(metavar: str) -> Parameter:
    return Parameter(consume_multiple=True, metavar=metavar, show_default=False)


Pair = Annotated[tuple[str, str], _words(2, "MIN MAX")]


@Parameter(name="*", group=GROUP)
@dataclass(frozen=True, kw_only=True)
class SchemeOptions:
    """
    One scheme, in damo's names and text forms.

    Source:
        spec damo 1.1.
    """

    damos_action: Annotated[tuple[str, ...], _many("ACTION [NODE...]")] = ()
    """What to do: pageout, willneed, cold, hugepage, nohugepage, collapse, lru_prio,
    lru_deprio, migrate_hot, migrate_cold or stat. Behind a migration the number of
    a node, or pairs of node and weight."""

    damos_sz_region: Pair | None = None
    """To regions of which size. Default: min max."""

    damos_access_rate: Pair | None = None
    """Accessed how often, in percent. Default: min max."""

    damos_age: Pair | None = None
    """For how long so. Default: min max."""

    damos_apply_interval: Annotated[str | None, Parameter(metavar="TIME")] = None
    """How often. Default: 0, at every aggregation."""

    damos_quotas: Annotated[
        tuple[str, ...], _many("TIME [SIZE [INTERVAL [W_SZ [W_ACC [W_AGE]]]]]")
    ] = ()
    """How much: time and size per interval, and what decides which regions come
    first: weights of size, access rate and age. Default: no limit."""

    damos_quota_interval: Annotated[str | None, Parameter(metavar="TIME")] = None
    """The interval alone, instead of --damos_quotas."""

    damos_quota_time: Annotated[str | None, Parameter(metavar="TIME")] = None
    """The time per interval alone. Held on average: it is an estimate of how many
    bytes can be tried in that time, and single intervals may take longer."""

    damos_quota_space: Annotated[str | None, Parameter(metavar="SIZE")] = None
    """The size per interval alone."""

    damos_quota_weights: Annotated[tuple[str, str, str] | None, _words(3, "W_SZ W_ACC W_AGE")] = (
        None
    )
    """The weights alone. Default: 1 1 1."""

    damos_quota_goal: Annotated[tuple[str, ...], _many("METRIC TARGET [MORE...]")] = ()
    """What the quota is tuned for, such as some_mem_psi_us 10ms. Behind it the
    current value of user_input, the node of node_mem_*, node and cgroup of
    node_memcg_*. May be given several times; needs an interval."""

    damos_quota_goal_tuner: Annotated[str | None, Parameter(metavar="consist|temporal")] = None
    """How the quota follows its goals. Default: consist."""

    damos_quota_fail_charge_ratio: Annotated[tuple[str, str] | None, _words(2, "NUM DENOM")] = None
    """What of the quota failures use up. Default: all, as if it had worked."""

    damos_wmarks: Annotated[
        tuple[str, str, str, str, str] | None, _words(5, "METRIC INTERVAL HIGH MID LOW")
    ] = None
    """When: between marks of free_mem_rate, in permil. Default: always."""

    damos_filter: Annotated[tuple[str, ...], _many("allow|reject [none] TYPE [MORE...]")] = ()
    """Which memory: anon, active, young, unmapped, memcg PATH, addr START END, target
    INDEX or hugepage_size MIN MAX; "none" before it means all other memory. May be
    given several times; the first one that fits decides."""

    damos_max_nr_snapshots: Annotated[str | None, Parameter(metavar="N")] = None
    """Stop after so many rounds. Default: 0, never."""

    def given(self) -> tuple[str, ...]:
        """Return the names of the options that were given, with their dashes."""
        return tuple(f"--{f.name}" for f in fields(self) if getattr(self, f.name) not in ((), None))

    def scheme(self) -> Scheme | None:
        """
        Return the scheme that the options ask for; None if they ask for none.

        Raises:
            InvalidError: If options do not go together.

            ParametersError: If anything is wrong; every mistake is listed.
        """
        # Documents may be all that there is to try.
        if not self.given():
            return None
        # A pattern or a quota alone does nothing; better told than guessed.
        if not self.damos_action:
            raise InvalidError(f"{', '.join(self.given())}: say what to do with --damos_action")
        # A document, as from a file: there is one place that checks parameters.
        tree: dict[str, Any] = {
            **self._action(),
            "access_pattern": {
                field: getattr(self, name)
                for name, field in _PATTERN.items()
                if getattr(self, name) is not None
            },
            "quotas": self._quotas(),
            "filters": [_filter(words) for words in _groups(self.damos_filter, _FILTER_WORDS)],
        }
        if self.damos_apply_interval is not None:
            tree["apply_interval_us"] = self.damos_apply_interval
        if self.damos_wmarks is not None:
            tree["watermarks"] = dict(zip(_WATERMARKS, self.damos_wmarks, strict=True))
        if self.damos_max_nr_snapshots is not None:
            tree["max_nr_snapshots"] = self.damos_max_nr_snapshots
        return Scheme(**tree)

    def _action(self) -> dict[str, Any]:
        action, *nodes = self.damos_action
        # One node is the target; more are destinations, each with its weight.
        if len(nodes) <= 1:
            return {"action": action, **({"target_nid": nodes[0]} if nodes else {})}
        if len(nodes) % 2:
            raise InvalidError(
                f"--damos_action {' '.join(self.damos_action)}: behind the action there is one "
                "node, or pairs of node and weight"
            )
        pairs = zip(nodes[::2], nodes[1::2], strict=True)
        return {"action": action, "dests": [{"id": nid, "weight": weight} for nid, weight in pairs]}

    def _quotas(self) -> dict[str, Any]:
        # Both could contradict each other, and no order of precedence is obvious.
        pieces = [f"--{name}" for name in _PIECES if getattr(self, name) is not None]
        if self.damos_quotas and pieces:
            raise InvalidError(
                f"--damos_quotas holds all of a quota; leave out {', '.join(pieces)}"
            )
        tree = self._all_in_one() if self.damos_quotas else self._piecewise()
        if self.damos_quota_goal:
            # Goals are looked at once per window, so without one they would never be.
            if "reset_interval_ms" not in tree:
                raise InvalidError(
                    "--damos_quota_goal needs to know how often: give --damos_quota_interval"
                )
            groups = _groups(self.damos_quota_goal, tuple(GoalMetric))
            tree["goals"] = [_goal(words) for words in groups]
        if self.damos_quota_goal_tuner is not None:
            tree["goal_tuner"] = self.damos_quota_goal_tuner
        if self.damos_quota_fail_charge_ratio is not None:
            num, denom = self.damos_quota_fail_charge_ratio
            tree |= {"fail_charge_num": num, "fail_charge_denom": denom}
        return tree

    def _all_in_one(self) -> dict[str, Any]:
        names = ("time_ms", "sz_bytes", "reset_interval_ms")
        if len(self.damos_quotas) > len(names) + len(_WEIGHTS):
            raise InvalidError(
                "--damos_quotas takes at most time, size, interval and three weights"
            )
        # Without an interval the quota is for all time.
        tree: dict[str, Any] = {"reset_interval_ms": "max"}
        # Not strict: words at the end may be left out.
        tree |= dict(zip(names, self.damos_quotas, strict=False))
        weights = dict(zip(_WEIGHTS, self.damos_quotas[len(names) :], strict=False))
        return tree | {"weights": weights}

    def _piecewise(self) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        if self.damos_quota_time is not None:
            tree["time_ms"] = self.damos_quota_time
        if self.damos_quota_space is not None:
            tree["sz_bytes"] = self.damos_quota_space
        weights: Sequence[str] = ()
        if self.damos_quota_interval is not None:
            tree["reset_interval_ms"] = self.damos_quota_interval
            weights = _USUAL_WEIGHTS
        if self.damos_quota_weights is not None:
            weights = self.damos_quota_weights
        if weights:
            tree["weights"] = dict(zip(_WEIGHTS, weights, strict=True))
        return tree


NO_SCHEME: Final = SchemeOptions()
"""What stands for no options at all."""


def _groups(words: Sequence[str], heads: Sequence[str]) -> Iterator[list[str]]:
    """Part the words of an option that was given several times: each begins with one of *heads*."""
    group: list[str] = []
    for word in words:
        # cyclopts hands over the words of all occurrences as one list.
        if word in heads and group:
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _goal(words: Sequence[str]) -> dict[str, Any]:
    metric, *rest = words
    names = ["target_value", *_goal_arguments(metric)]
    if len(rest) != len(names):
        raise _miscounted("--damos_quota_goal", words, ("METRIC", *names))
    return {"metric": metric, **dict(zip(names, rest, strict=True))}


def _goal_arguments(metric: str) -> tuple[str, ...]:
    # What is wrong with it is told by the parameters, which list all metrics.
    if metric not in tuple(GoalMetric):
        return ()
    known = GoalMetric(metric)
    if known is GoalMetric.USER_INPUT:
        return ("current_value",)
    return ("nid",) * known.needs_nid + ("memcg_path",) * known.needs_memcg


def _filter(words: Sequence[str]) -> dict[str, Any]:
    head, *rest = words
    # As damo writes it: "reject none anon" is about all memory that is not anonymous.
    matching = rest[:1] != ["none"]
    kind, *arguments = (rest if matching else rest[1:]) or [""]
    if head not in _FILTER_WORDS or not kind:
        raise _miscounted("--damos_filter", words, ("allow|reject", "[none]", "TYPE"))
    tree: dict[str, Any] = {"filter_type": kind, "matching": matching, "allow": head == "allow"}
    return tree | _filter_arguments(kind, arguments, words)


def _filter_arguments(kind: str, arguments: list[str], words: Sequence[str]) -> dict[str, Any]:
    match kind, arguments:
        case FilterType.MEMCG, [path]:
            return {"memcg_path": path}
        case FilterType.ADDR, [start, end]:
            return {"address_range": {"start": start, "end": end}}
        case FilterType.TARGET, [index]:
            return {"damon_target_idx": index}
        case FilterType.HUGEPAGE_SIZE, [low, high]:
            return {"hugepage_size": [low, high]}
        case _, []:
            # The parameters say themselves what a type needs and which types there are.
            return {}
    raise _miscounted("--damos_filter", words, ("allow|reject", "[none]", "TYPE", "[MORE...]"))


def _miscounted(option: str, words: Sequence[str], expected: Sequence[str]) -> ParametersError:
    wrong = f"{' '.join(words)!r} does not fit; expected {' '.join(expected)}"
    return ParametersError([Problem(option, wrong)])
