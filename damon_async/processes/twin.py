"""Which synthetic memory stands for a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from ..spaces.layout import SMALL_PAGE
from ..spaces.space import Space
from ..spaces.workload import open_workload


@dataclass(frozen=True, slots=True)
class Twin:
    """
    Memory that stands for a process, before it is made.

    Two that are equal are the same memory.
    """

    spec: str
    """What it is, as users write it."""

    is_repeated: bool = True
    """Whether memory that ends begins anew while the process lives."""

    seed: int | None = None
    """For what is random, unless *spec* gives another; None: as whoever opens it says."""

    page_size: int = SMALL_PAGE
    """Bytes that share one accessed mark, unless *spec* gives another."""

    # Two functions are never equal, and what they make is known by its name.
    make: Callable[[], Space] | None = field(default=None, compare=False, repr=False)
    """Makes it, where *spec* is only its name."""

    def open(self, seed: int = 0) -> Space:
        """
        Make the memory, in a time of its own.

        Args:
            seed: For what is random, if nothing else is said.

        Raises:
            DamonError: If that cannot be: no such file, wrong options, ...
        """
        if self.make is not None:
            return self.make()
        return open_workload(
            self.spec, seed=seed if self.seed is None else self.seed, page_size=self.page_size
        )

    @classmethod
    def made(cls, name: str, make: Callable[[], Space]) -> Self:
        """Return memory that comes once, made by a function."""
        return cls(name, is_repeated=False, make=make)
