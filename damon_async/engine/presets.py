"""What an engine must know of a preset to start it: a ready-made use of monitoring."""

from __future__ import annotations

from typing import Protocol, TypeVar

from ..params.monitoring import Context
from ..spaces.space import Space
from .kdamond import Kdamond

Enabled = TypeVar("Enabled", covariant=True)  # noqa: PLC0105 # the word that users read


class Preset(Protocol[Enabled]):
    """
    A ready-made use of monitoring, such as a module: some parameters, and what they mean.

    It is for ``Damon.enable``, and lives above the engine, which knows no preset.
    """

    def context(self, memory: Space) -> Context:
        """
        Return what it monitors of *memory*, and the schemes it has.

        Raises:
            DamonError: If the preset makes no sense for *memory*.
        """
        ...

    def enabled(self, kdamond: Kdamond, memory: Space) -> Enabled:
        """Return what users hold while *kdamond* runs what ``context`` returned."""
        ...
