"""
Schemes: what to do to which memory, how much of it, and when.

As everywhere in this room, fields take numbers in their own unit or the text
forms of ``damo``, and all mistakes are listed at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from ..errors import Problem
from ..units import Quantity
from .base import Count, Parameters, TimeUs
from .filters import Filter
from .keywords import Action, UserFunction, read_word_or_function
from .patterns import AccessPattern
from .quotas import Quotas, Watermarks


class Dest(Parameters, frozen=True):
    """
    One of several nodes that memory is migrated to.

    Source:
        spec core 7.1.
    """

    id: Count
    """The node."""

    weight: Count
    """How much of the memory goes there, relative to the other weights."""

    if TYPE_CHECKING:

        def __init__(self, id: Quantity, weight: Quantity) -> None: ...


class Scheme(Parameters, frozen=True):
    """
    A rule: apply an action to the regions that match a pattern.

    Source:
        spec core 2.4 and 7.
    """

    action: Annotated[
        Action | UserFunction, BeforeValidator(read_word_or_function(Action, "an action"))
        # damo's default as well, and the only action that does no harm when it was
        # forgotten.
    ] = Action.STAT
    """
    What to do; or a function of your own, sync or async, that is called with
    an ``operations.requests.ActionRequest``.
    """

    access_pattern: AccessPattern = AccessPattern()
    """To which regions; by default to all."""

    apply_interval_us: TimeUs = 0
    """How often, in microseconds; 0 means at every aggregation interval."""

    quotas: Quotas = Quotas()
    """How much of it; by default without limit."""

    watermarks: Watermarks = Watermarks()
    """When; by default always."""

    filters: tuple[Filter, ...] = ()
    """Which memory of those regions; by default all of it."""

    # Inside the kernel -1 stands for none; documents have null.
    target_nid: Count | None = None
    """For migrations: the node to move to; *dests* win over it."""

    dests: tuple[Dest, ...] = ()
    """For migrations: the nodes to move to, with weights."""

    max_nr_snapshots: Count = 0
    """After how many completed walks the scheme rests; 0 means never."""

    name: str = ""
    """What people call it; means nothing to the engine."""

    if TYPE_CHECKING:

        def __init__(
            self,
            action: Action | str | UserFunction = ...,
            access_pattern: AccessPattern | Mapping[str, Any] = ...,
            apply_interval_us: Quantity = ...,
            quotas: Quotas | Mapping[str, Any] = ...,
            watermarks: Watermarks | Mapping[str, Any] = ...,
            filters: Iterable[Filter | Mapping[str, Any]] = ...,
            target_nid: Quantity | None = ...,
            dests: Iterable[Dest | Mapping[str, Any]] = ...,
            max_nr_snapshots: Quantity = ...,
            name: str = ...,
        ) -> None: ...

    def _problems(self) -> Iterator[Problem]:
        # The kernel would try every region, and move nothing.
        is_migration = isinstance(self.action, Action) and self.action.is_migration
        if is_migration and self.target_nid is None and not self.dests:
            yield Problem("target_nid", f"missing; {self.action} needs it, or dests")
        # A node that no migration asks for is left alone: files of a running
        # DAMON name one for every scheme.
        if self.dests and not is_migration:
            yield Problem("dests", "only migrate_hot and migrate_cold have destinations")
        elif self.dests and not any(dest.weight for dest in self.dests):
            yield Problem("dests", "all weights are 0; nothing would be migrated")

    @property
    def core_filters(self) -> tuple[Filter, ...]:
        """The filters that decide about whole regions, in order."""
        # Two lists as in newer kernels (spec core 7.7). Users write one: only
        # the order within a list means anything.
        return tuple(each for each in self.filters if each.filter_type.is_core)

    @property
    def ops_filters(self) -> tuple[Filter, ...]:
        """The filters that the back end decides about, page by page, in order."""
        return tuple(each for each in self.filters if not each.filter_type.is_core)
