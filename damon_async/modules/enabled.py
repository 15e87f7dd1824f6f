"""What users hold while a module runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

from ..engine.kdamond import Kdamond
from ..errors import DamonError
from ..monitor.monitor import Monitor
from ..operations.registry import operations_for
from ..params.monitoring import Context
from ..params.ranges import AddressRange
from ..schemes.schemes import Schemes
from ..spaces.space import Space
from .rules import Rules


class Tunable(Protocol):
    """Parameters of a module that may change while it runs."""

    def context(self, memory: Space, rules: Rules) -> Context:
        """Return what they stand for."""
        ...

    def statistics(self, schemes: Schemes) -> Mapping[str, int]:
        """Return statistics of running schemes by the kernel's names."""
        ...


Preset = TypeVar("Preset", bound=Tunable)


class Running:
    """
    A module that was enabled.

    Args:
        kdamond: Runs it, or did.

    Attributes:
        kdamond: As above.

        region: The range that is monitored, in address units.
    """

    def __init__(self, kdamond: Kdamond) -> None:
        self.kdamond = kdamond
        self.region = _region_of(kdamond.started_context)

    def __repr__(self) -> str:
        state = "enabled" if self.is_enabled else "disabled"
        return f"<{type(self).__name__} {state}, {self.kdamond!r}>"

    @property
    def is_enabled(self) -> bool:
        """Whether it runs."""
        return self.kdamond.is_running

    async def disable(self) -> None:
        """Stop it, and wait for its end; nothing happens if it does not run."""
        if self.is_enabled:
            self.kdamond.check_not_inside()
            self.kdamond.stop_nowait()
            await self.kdamond.wait()


class EnabledModule(Running, Generic[Preset]):
    """
    A module that was enabled, and acts.

    Args:
        preset: Its parameters.

        kdamond: Runs it.

        memory: What it acts on.

        rules: Whose module it is.

    Attributes:
        preset: The parameters in force.

    Source:
        spec interfaces 5.1.
    """

    def __init__(self, preset: Preset, kdamond: Kdamond, memory: Space, rules: Rules) -> None:
        super().__init__(kdamond)
        self.preset = preset
        self._memory = memory
        self._rules = rules

    def statistics(self) -> Mapping[str, int]:
        """
        Return what it has done, by the kernel's names; also once it has ended.

        Counters change with each aggregation, as the parameters of the kernel do.
        """
        return self.preset.statistics(self.kdamond.schemes)

    async def commit(self, preset: Preset) -> None:
        """
        Run with other parameters from the next tick on, and wait for that.

        A failure leaves all as it was: what newer kernels do.

        Args:
            preset: All of them.

        Raises:
            InvalidError: If they make no sense for the memory.

            CanceledError: If it has ended, or ends first.
        """
        context = preset.context(self._memory, self._rules)
        await self.kdamond.commit(context)
        self._note(preset, context)

    def commit_later(self, read: Callable[[], Preset | None]) -> None:
        """
        Have other parameters applied at the end of the aggregation under way.

        What older kernels do: nobody is told how it went, and bad parameters stop
        the module. Asleep because of its watermarks, it looks at them at once.

        Args:
            read: Returns the parameters, there and then; None if nothing is to be
                applied after all.

        Raises:
            CanceledError: If it has ended.
        """

        def consume(monitor: Monitor) -> None:
            schedule = monitor.schedule
            if not (monitor.is_asleep or schedule.is_aggregation_due):
                left_us = schedule.nr_ticks_left * max(1, monitor.context.intervals.sample_us)
                monitor.call(consume, now_us=monitor.tick_us + left_us)
                return
            try:
                preset = read()
                if preset is None:
                    return
                context = preset.context(self._memory, self._rules)
                monitor.commit(context, operations_for(context))
            except DamonError:
                self.kdamond.stop_nowait()
                raise
            self._note(preset, context)

        self.kdamond.call_nowait(consume)

    def _note(self, preset: Preset, context: Context) -> None:
        """Remember what is in force now."""
        self.preset = preset
        self.region = _region_of(context)


def _region_of(context: Context) -> AddressRange:
    """Return the one range that the context of a module monitors."""
    return context.targets[0].regions[0]
