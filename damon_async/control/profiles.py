"""Which kernel's interface a tree shows."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Release(NamedTuple):
    """A Linux release; releases compare by age."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


SEED: Final = Release(5, 18)
"""The release whose files every profile has."""

NEXT: Final = Release(7, 2)
"""Whatever is newer than 7.1: the exact release of these parts is not known."""


class Profile(StrEnum):
    """
    A kernel whose visible interface is imitated.

    Source:
        spec interfaces 0.1.
    """

    V5_18 = "5.18"
    """Where the interface began."""

    V6_1 = "6.1"
    """Long-term release: commit and ``fvaddr``."""

    V6_12 = "6.12"
    """Long-term release: filters, goals, tried regions."""

    V6_18 = "6.18"
    """Long-term release, and the default: tuned intervals, refresh, address units."""

    LATEST = "latest"
    """Everything that is known."""

    @property
    def release(self) -> Release:
        """The release that files and keywords are compared with."""
        return NEXT if self is Profile.LATEST else read_release(self.value)


def read_release(text: str) -> Release:
    """Read a release such as ``6.12``."""
    major, _, minor = text.partition(".")
    return Release(int(major), int(minor))
