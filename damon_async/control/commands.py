"""What the words written to ``state`` have a running kdamond do."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Final

from ..engine.clock import Clock
from ..engine.kdamond import Kdamond
from ..errors import CanceledError, DamonError
from ..monitor.monitor import Monitor
from ..params.monitoring import Context
from ..params.quotas import Quotas
from ..params.schemes import Scheme
from .context_files import context_of
from .node import Branch
from .profiles import Release
from .results import (
    TriedRegions,
    clear_tried_regions,
    show_effective_quotas,
    show_intervals,
    show_stats,
)
from .scheme_files import goals_of
from .walking import walked
from .world import World

STRICT_SINCE: Final = Release(6, 14)
"""From here on a command that waits keeps the lock, and one that fails says so."""

GOALS_CHECKED_SINCE: Final = Release(6, 19)
"""From here on ``commit_schemes_quota_goals`` refuses unknown memory cgroups as EINVAL."""

WALKS: Final = ("update_schemes_tried_regions", "update_schemes_tried_bytes")
"""Words that wait for a round of every scheme."""


class Commands:
    """
    Carries out words on running kdamonds.

    Args:
        clock: By which those run.

        world: Whom files can be about.

        release: Whose rules are followed.

    Source:
        spec interfaces 2.6, 2.7 and 3.
        Differs: before 6.14 a commit, too, is handled at the next sampling, not
        the next aggregation, and no update is given up after two apply intervals.
    """

    def __init__(self, clock: Clock, world: World, release: Release) -> None:
        self._clock = clock
        self._world = world
        self._release = release

    def context(self, branch: Branch) -> Context:
        """
        Read the context of a kdamond directory.

        Raises:
            OSError: EINVAL or ENOMEM, for the first thing that is wrong.
        """
        context = branch.below("contexts/0")
        return context_of(context, self._world, self._release, self._clock.now_us())

    async def carry_out(self, word: str, branch: Branch, kdamond: Kdamond) -> None:
        """
        Have a running kdamond do something, and wait for it.

        Args:
            word: A word of ``state`` other than ``on`` and ``off``.

            branch: The directory of the kdamond.

            kdamond: What runs for it.

        Raises:
            OSError: EINVAL or ENOMEM, if files make no sense.

            DamonError: If the engine refuses, with the errno to answer.
        """
        commands: dict[str, Callable[[Branch, Kdamond], Awaitable[None]]] = {
            "commit": self._commit,
            "commit_schemes_quota_goals": self._commit_goals,
            "update_schemes_stats": lambda branch, kdamond: self._show(
                branch, kdamond, lambda context, monitor: show_stats(context, monitor.schemes)
            ),
            "update_schemes_effective_quotas": lambda branch, kdamond: self._show(
                branch,
                kdamond,
                lambda context, monitor: show_effective_quotas(context, monitor.schemes),
            ),
            "update_tuned_intervals": lambda branch, kdamond: self._show(
                branch,
                kdamond,
                lambda context, monitor: show_intervals(context, monitor.context.intervals),
            ),
            "clear_schemes_tried_regions": self._clear,
            "update_schemes_tried_regions": self._walk_regions,
            "update_schemes_tried_bytes": self._walk_bytes,
        }
        await commands[word](branch, kdamond)

    async def _commit(self, branch: Branch, kdamond: Kdamond) -> None:
        """
        Apply all parameters; old releases take their word back instead of refusing.

        Source:
            spec interfaces 2.6.
        """
        try:
            context = self.context(branch)
            await kdamond.commit(context)
        except (OSError, DamonError) as error:
            if self._release >= STRICT_SINCE or isinstance(error, CanceledError):
                raise
            # The write succeeds, and the kdamond terminates.
            kdamond.stop_nowait()
            await kdamond.wait()

    async def _commit_goals(self, branch: Branch, kdamond: Kdamond) -> None:
        """Apply the goals, and nothing else."""
        number = errno.EINVAL if self._release >= GOALS_CHECKED_SINCE else errno.ENOMEM
        schemes = [
            Scheme(quotas=Quotas(goals=goals_of(child.below("quotas"), self._world, number)))
            for child in branch.below("contexts/0/schemes").children()
        ]
        await kdamond.call(lambda monitor: monitor.schemes.commit_quota_goals(schemes))

    async def _show(
        self, branch: Branch, kdamond: Kdamond, show: Callable[[Branch, Monitor], None]
    ) -> None:
        """Have *show* fill files of the context at the next tick."""

        def show_there(monitor: Monitor) -> None:
            # Looked up then: a lent lock lets directories change meanwhile.
            for context in branch.below("contexts").children():
                show(context, monitor)

        await kdamond.call(show_there)

    async def _clear(self, branch: Branch, kdamond: Kdamond) -> None:
        """Empty the tried regions of the schemes that run; in old releases."""
        clear_tried_regions(branch.below("contexts/0"), len(kdamond.schemes))

    async def _walk_regions(self, branch: Branch, kdamond: Kdamond) -> None:
        """Show the regions that schemes are tried on."""
        await self._walk(branch, kdamond, TriedRegions(is_bytes_only=False))

    async def _walk_bytes(self, branch: Branch, kdamond: Kdamond) -> None:
        """Show how much schemes are tried on."""
        await self._walk(branch, kdamond, TriedRegions(is_bytes_only=True))

    async def _walk(self, branch: Branch, kdamond: Kdamond, tried: TriedRegions) -> None:
        """
        Collect one round of each scheme, and show it.

        Source:
            spec interfaces 3.3.
        """
        context = branch.below("contexts/0")
        is_old = self._release < STRICT_SINCE
        clear_tried_regions(context, len(kdamond.schemes) if is_old else None)
        await walked(kdamond, self._clock, tried.visit)
        tried.show(context, is_count_shared=is_old)
