"""Which memory of a matching region a scheme leaves out, or takes at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, model_validator

from ..errors import Problem
from ..units import Quantity
from .base import Count, Flag, Parameters
from .keywords import FilterType, read_word
from .patterns import SizeBounds
from .ranges import AddressRange

# A table, so that one rule finds what is missing and what means nothing.
ARGUMENTS: Final = {
    FilterType.MEMCG: "memcg_path",
    FilterType.ADDR: "address_range",
    FilterType.TARGET: "damon_target_idx",
    FilterType.HUGEPAGE_SIZE: "hugepage_size",
}
"""What some types need to know; the other ones need nothing."""


class Filter(Parameters, frozen=True):
    """
    One rule about memory of a type, or about all memory that is not of it.

    Of the filters of a scheme the first one that hits decides. See
    ``default_allows`` for memory that none hits.

    Source:
        spec core 7.7.
    """

    filter_type: Annotated[FilterType, BeforeValidator(read_word(FilterType, "a filter type"))]
    """What is asked about memory."""

    # damo requires it in documents; in a program, a filter is nearly always
    # about memory that is of its type.
    matching: Flag = True
    """Whether the rule is about memory of the type; if not, about all other memory."""

    # Rejecting is all that filters could do before 6.14 (spec core 2.9), so
    # that is what older documents mean.
    allow: Flag = False
    """Whether that memory is allowed; if not, it is rejected."""

    memcg_path: str | None = None
    """For ``memcg``: the memory cgroup."""

    address_range: AddressRange | None = None
    """For ``addr``: the range, in addresses of the regions."""

    damon_target_idx: Count | None = None
    """For ``target``: its place in the list of targets, from 0."""

    hugepage_size: SizeBounds | None = None
    """For ``hugepage_size``: smallest and largest size, inclusive, in bytes."""

    if TYPE_CHECKING:

        def __init__(
            self,
            filter_type: FilterType | str,
            matching: bool | str = ...,
            allow: bool | str = ...,
            memcg_path: str | None = ...,
            address_range: AddressRange | str | Mapping[str, Any] | None = ...,
            damon_target_idx: Quantity | None = ...,
            hugepage_size: SizeBounds | Sequence[Quantity] | None = ...,
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _forget_empty(cls, value: object) -> object:
        # damo gives every filter an empty path once it has read it back.
        if isinstance(value, Mapping) and value.get("memcg_path") == "":
            return {**value, "memcg_path": None}
        return value

    def _problems(self) -> Iterator[Problem]:
        for kind, name in ARGUMENTS.items():
            is_given = getattr(self, name) is not None
            if kind is self.filter_type and not is_given:
                yield Problem(name, f"missing; {kind} filters need it")
            # Refused, not ignored: a range on an anon filter shows that another
            # type was meant, and the scheme would act on far too much memory.
            elif kind is not self.filter_type and is_given:
                yield Problem(name, f"means nothing to a filter of type {self.filter_type}")


def default_allows(filters: Sequence[Filter]) -> bool:
    """
    Tell what a list of filters decides about memory that none of them hits.

    Only lists that end by allowing something reject the rest: what was the
    allowing for, otherwise?

    Source:
        spec core 7.7, example E39. The core's list allows by default whenever
        the back end has filters of its own, too.
    """
    # The last one, because it was added with all others in mind.
    return not filters or not filters[-1].allow
