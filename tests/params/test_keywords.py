"""The words of schemes: spelled as the kernel spells them, and refused with a list."""

from __future__ import annotations

import functools

import pytest

from damon_async.errors import InvalidError
from damon_async.params.keywords import (
    Action,
    FilterType,
    GoalMetric,
    GoalTuner,
    WatermarkMetric,
    read_word,
    read_word_or_function,
    word_or_name,
)


def test_actions() -> None:
    """The actions are those of the kernel."""
    assert set(Action) == {
        "willneed",
        "cold",
        "pageout",
        "hugepage",
        "nohugepage",
        "collapse",
        "lru_prio",
        "lru_deprio",
        "migrate_hot",
        "migrate_cold",
        "stat",
    }


def test_migrations() -> None:
    """Two actions need to know where to."""
    assert [action for action in Action if action.is_migration] == ["migrate_hot", "migrate_cold"]


def test_filters_of_two_layers() -> None:
    """Addresses and targets are filtered by region, all else by page."""
    assert {each for each in FilterType if each.is_core} == {"addr", "target"}
    assert {each for each in FilterType if not each.is_core} == {
        "anon",
        "active",
        "memcg",
        "young",
        "hugepage_size",
        "unmapped",
    }


def test_metrics() -> None:
    """Five goal metrics are about a node, two of them about a memory cgroup as well."""
    assert {each for each in GoalMetric if each.needs_nid} == {
        "node_mem_used_bp",
        "node_mem_free_bp",
        "node_memcg_used_bp",
        "node_memcg_free_bp",
        "node_eligible_mem_bp",
    }
    assert [each for each in GoalMetric if each.needs_memcg] == [
        "node_memcg_used_bp",
        "node_memcg_free_bp",
    ]
    assert len(GoalMetric) == 10


def test_few_words() -> None:
    """There are two tuners and two watermark metrics."""
    assert list(GoalTuner) == ["consist", "temporal"]
    assert list(WatermarkMetric) == ["none", "free_mem_rate"]


@pytest.mark.parametrize("word", list(Action))
def test_words_are_read(word: Action) -> None:
    """A word is read from its text, and is itself already."""
    read = read_word(Action, "an action")
    assert read(str(word)) is word
    assert read(word) is word


@pytest.mark.parametrize("value", ["PAGEOUT", "pageout ", "", None, 0, True, ["stat"], print])
def test_other_words_are_refused(value: object) -> None:
    """Anything else is refused, and all words are listed."""
    with pytest.raises(InvalidError, match=r"is not a tuner; use one of consist, temporal$"):
        read_word(GoalTuner, "a tuner")(value)


def test_functions_may_stand_for_words() -> None:
    """A function may stand where a word could, if that is said."""
    read = read_word_or_function(Action, "an action")
    assert read(print) is print
    assert read("stat") is Action.STAT
    with pytest.raises(InvalidError, match="'nothing' is not an action; use one of willneed,"):
        read("nothing")


def test_names() -> None:
    """A word is printed as it is, a function by the name it has, an object by its class."""

    class Own:
        def __call__(self) -> None: ...

    assert word_or_name(Action.STAT) == "stat"
    assert word_or_name(test_names) == "test_names"
    assert word_or_name(functools.partial(print)) == "partial"
    assert word_or_name(Own()) == "Own"
