"""
The words that schemes are made of, spelled as the kernel spells them.

Source:
    spec core 2.4, 7.1, 7.6 to 7.8.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from ..errors import InvalidError

Word = TypeVar("Word", bound=StrEnum)

UserFunction: TypeAlias = Callable[..., Any]
"""A function of the user, sync or async, where a keyword could stand."""


class Action(StrEnum):
    """What is done to the memory of a region that matches."""

    WILLNEED = "willneed"
    """Bring it back from swap ahead of its use."""

    COLD = "cold"
    """Mark it as the first to be reclaimed."""

    PAGEOUT = "pageout"
    """Reclaim it now."""

    HUGEPAGE = "hugepage"
    """Let it be backed by huge pages."""

    NOHUGEPAGE = "nohugepage"
    """Let it be backed by ordinary pages only."""

    # In no release of the kernel yet (spec core 2.9), but damo knows it.
    COLLAPSE = "collapse"
    """Make huge pages of it now."""

    LRU_PRIO = "lru_prio"
    """Move it towards the active end of its list."""

    LRU_DEPRIO = "lru_deprio"
    """Move it to the inactive list."""

    MIGRATE_HOT = "migrate_hot"
    """Move it to other nodes, what is hottest first."""

    MIGRATE_COLD = "migrate_cold"
    """Move it to other nodes, what is coldest first."""

    STAT = "stat"
    """Nothing; only count it."""

    @property
    def is_migration(self) -> bool:
        """Whether it needs to know where to."""
        # Listed, for a new word must not become one by its name alone.
        return self in (Action.MIGRATE_HOT, Action.MIGRATE_COLD)


class FilterType(StrEnum):
    """What a filter asks about memory."""

    ANON = "anon"
    """Is it anonymous?"""

    ACTIVE = "active"
    """Is it on an active list?"""

    MEMCG = "memcg"
    """Does it belong to a memory cgroup?"""

    YOUNG = "young"
    """Was it touched since the last look? A look makes it old."""

    HUGEPAGE_SIZE = "hugepage_size"
    """Is the page it is mapped by of a size in a range?"""

    UNMAPPED = "unmapped"
    """Is it mapped by nobody?"""

    ADDR = "addr"
    """Does it lie in a range of addresses?"""

    TARGET = "target"
    """Does it belong to a target?"""

    @property
    def is_core(self) -> bool:
        """Whether regions are filtered by it; if not, the back end filters pages."""
        # spec core 7.7: these two need no look at pages, so the core decides
        # about them, and first.
        return self in (FilterType.ADDR, FilterType.TARGET)


class GoalMetric(StrEnum):
    """What a quota goal measures."""

    USER_INPUT = "user_input"
    """What the user last said."""

    SOME_MEM_PSI_US = "some_mem_psi_us"
    """Microseconds in which somebody waited for memory, per charge window."""

    NODE_MEM_USED_BP = "node_mem_used_bp"
    """Used share of a node."""

    NODE_MEM_FREE_BP = "node_mem_free_bp"
    """Free share of a node."""

    NODE_MEMCG_USED_BP = "node_memcg_used_bp"
    """Share of a node that a memory cgroup uses."""

    NODE_MEMCG_FREE_BP = "node_memcg_free_bp"
    """Share of a node that a memory cgroup does not use."""

    ACTIVE_MEM_BP = "active_mem_bp"
    """Share of active memory, of active and inactive."""

    INACTIVE_MEM_BP = "inactive_mem_bp"
    """Share of inactive memory, of active and inactive."""

    NODE_ELIGIBLE_MEM_BP = "node_eligible_mem_bp"
    """Share of the memory that the scheme's pattern matches that lies on a node."""

    # In no release of the kernel yet (spec core 2.9).
    HUGEPAGE_MEM_BP = "hugepage_mem_bp"
    """Share of used memory that is in huge pages."""

    @property
    def needs_nid(self) -> bool:
        """Whether it is about one node."""
        # The kernel names them so, and damo goes by the name as well.
        return self.value.startswith("node_")

    @property
    def needs_memcg(self) -> bool:
        """Whether it is about one memory cgroup."""
        return self.value.startswith("node_memcg_")


class GoalTuner(StrEnum):
    """How a quota follows its goals."""

    CONSIST = "consist"
    """Find the size that keeps the goal met, and stay there."""

    TEMPORAL = "temporal"
    """All that is allowed until the goal is met, then nothing."""


class WatermarkMetric(StrEnum):
    """What watermarks are compared with."""

    NONE = "none"
    """Nothing: the scheme is always active."""

    FREE_MEM_RATE = "free_mem_rate"
    """Free memory, in permil of all memory."""


def read_word(kind: type[Word], called: str) -> Callable[[object], Word]:
    """
    Return a reader of one of the words of *kind*.

    Args:
        kind: The keywords.

        called: What one of them is, with its article, e.g. "an action".

    Returns:
        A function that raises ``InvalidError`` for any other value, and lists
        the words.
    """

    def read(value: object) -> Word:
        # As damo spells them and nothing else: "PAGEOUT" would fail there.
        # list, because before Python 3.12 an enum refuses to look for a plain
        # text. And not pydantic's own reader: its errors do not list our words.
        if isinstance(value, str) and value in list(kind):
            return kind(value)
        raise InvalidError(f"{value!r} is not {called}; use one of {', '.join(kind)}")

    return read


def read_word_or_function(kind: type[Word], called: str) -> Callable[[object], Word | UserFunction]:
    """Return a reader as ``read_word`` does, which also takes functions of the user."""
    read = read_word(kind, called)

    # No word is callable, so that there is never a doubt.
    def read_either(value: object) -> Word | UserFunction:
        return value if callable(value) else read(value)

    return read_either


def word_or_name(value: object) -> str:
    """Print a keyword as it is, and a function of the user by its name."""
    if isinstance(value, str):
        return str(value)
    # Objects with __call__ and partial functions have no name of their own.
    return getattr(value, "__qualname__", None) or type(value).__name__
