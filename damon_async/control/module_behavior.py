"""What stands behind the parameters of modules: the modules, on the real engine."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import anyio

from ..engine.engine import Damon
from ..engine.holding import TimeHold
from ..errors import DamonError, InvalidError, NoMemoryError
from ..modules.enabled import EnabledModule, Running
from ..modules.lru_sort import LruSort
from ..modules.parameters import ModuleParameters
from ..modules.reclaim import Reclaim
from ..modules.rules import Rules
from ..modules.stat import EnabledStat, Stat
from ..params.ranges import AddressRange
from ..spaces.space import Space
from .behavior import Behavior
from .node import Branch, File
from .pids import PidOf, Pids
from .profiles import NEXT, Profile, Release
from .values import Value, refusal

RECLAIM: Final = "damon_reclaim"
LRU_SORT: Final = "damon_lru_sort"
STAT: Final = "damon_stat"

TUNABLE: Final[Mapping[str, type[ModuleParameters]]] = {RECLAIM: Reclaim, LRU_SORT: LruSort}
"""Modules with parameters, by the name of their directory."""

HONEST_SINCE: Final = Release(6, 2)
"""From here on whoever writes to ``enabled`` is told whether that worked."""

COMMIT_WAITS_SINCE: Final = Release(7, 0)
"""From here on so is whoever writes to ``commit_inputs``; before, it is a mere flag."""

SIGNS_SINCE: Final = Release(6, 18)

AGE_WEIGHS_SINCE: Final = Release(7, 0)


@dataclass(slots=True)
class _Module:
    """
    One module, as it is now.

    Attributes:
        running: Its last run; None if there was none.

        pid: What was shown as its process id then.

        changing: Had by whoever starts, stops or commits; others wait for it.
    """

    running: Running | None = None
    pid: int = -1
    changing: anyio.Lock = field(default_factory=anyio.Lock, repr=False)

    @property
    def enabled(self) -> Running | None:
        """The run that goes on; None if none does."""
        return self.running if self.running is not None and self.running.is_enabled else None


class Modules(Behavior):
    """
    What stands behind a tree of modules with an engine.

    Args:
        damon: Runs them, each alone; must be open by then.

        profile: Whose rules are followed.

        memory: The physical memory; None if there is none.

        holds_time: Whether virtual time stands still while one runs, except while
            a write waits.

        pids: Names kdamonds; by default numbers of its own.

    Source:
        spec interfaces 5.
        Differs: statistics are read off the module whenever somebody asks, which is
        the same, as they only change with an aggregation; of releases before 6.2,
        too, a write to ``enabled`` returns once it is done.
    """

    def __init__(
        self,
        damon: Damon,
        profile: Profile,
        memory: Space | None = None,
        *,
        holds_time: bool = False,
        pids: PidOf | None = None,
    ) -> None:
        super().__init__()
        self._damon = damon
        self._release = profile.release
        self._memory = memory
        self._pids = pids or Pids()
        self._rules = Rules(
            spans_memory=self._release >= NEXT,
            weighs_age=self._release >= AGE_WEIGHS_SINCE,
            signs_busy=self._release >= SIGNS_SINCE,
        )
        self._modules = {name: _Module() for name in (RECLAIM, LRU_SORT, STAT)}
        self._hold = TimeHold(damon.clock, "the modules", is_meant=True) if holds_time else None

    def __repr__(self) -> str:
        running = [name for name, module in self._modules.items() if module.enabled is not None]
        return f"<Modules {self._release}, running: {', '.join(running) or 'none'}>"

    def close(self) -> None:
        """Let virtual time pass for good; modules go on."""
        if self._hold is not None:
            self._hold.close()
            self._hold = None

    def running(self, name: str) -> Running | None:
        """Return what was last enabled as the module *name*, ended or not."""
        return self._modules[name].running

    # -- Reading -------------------------------------------------------------

    def read(self, branch: Branch, file: File) -> Value:
        """Return what a file shows now."""
        module = self._modules[_name_of(branch)]
        if file.name == "enabled":
            return module.enabled is not None
        if file.name == "kdamond_pid":
            return b"%d\n" % (module.pid if module.enabled is not None else -1)
        running = module.running
        if isinstance(running, EnabledModule) and file.name != "commit_inputs":
            return running.statistics()[file.name]
        if isinstance(running, EnabledStat):
            found: int | tuple[int, ...] = getattr(running.estimates, file.name)
            # One file holds more than a number.
            return found if isinstance(found, int) else ",".join(map(str, found)).encode() + b"\n"
        return branch.value(file.name)

    # -- Writing -------------------------------------------------------------

    async def write(self, branch: Branch, file: File, value: Value) -> None:
        """
        Start, stop or commit, and wait for it.

        Raises:
            OSError: As the interface documents for each parameter.
        """
        module = self._modules[_name_of(branch)]
        # The kernel's parameters have a lock, which is waited for.
        async with module.changing:
            try:
                if file.name == "commit_inputs":
                    await self._commit(branch, module, is_wanted=bool(value))
                else:
                    await self._turn(branch, module, is_on=bool(value))
            except DamonError as error:
                raise refusal(error.errno, str(error)) from None
            finally:
                self._hold_or_not()

    async def _turn(self, branch: Branch, module: _Module, *, is_on: bool) -> None:
        """
        Start or stop a module; nothing happens if it is as wanted.

        Source:
            spec interfaces 5.1.
        """
        running = module.enabled
        if running is not None and not is_on:
            self._let_time_pass()
            await running.disable()
        elif running is None and is_on:
            try:
                await self._start(branch, module)
            except DamonError:
                # Before, it was done later, by nobody whom anybody could ask.
                if self._release >= HONEST_SINCE:
                    raise

    async def _start(self, branch: Branch, module: _Module) -> None:
        """Build what the parameters say, and start it alone."""
        name = _name_of(branch)
        preset = Stat() if name == STAT else self._preset(branch)
        if self._memory is None:
            if name == STAT:
                raise NoMemoryError("DAMON_STAT: there is none to be monitored")
            raise InvalidError("there is no physical memory to be monitored")
        context = preset.context(self._memory, self._rules)
        if self._hold is not None:
            # Before it starts, or its first tick may pass at once.
            self._hold.take()
        [kdamond] = await self._damon.start([context], exclusive=True)
        running = module.running = preset.enabled(kdamond, self._memory, self._rules)
        module.pid = self._pids(kdamond)
        self._write_back(branch, running.region)
        if isinstance(running, EnabledModule) and branch.number("commit_inputs"):
            # Asked for while nothing ran, and not forgotten.
            running.commit_later(partial(self._take_inputs, branch))

    async def _commit(self, branch: Branch, module: _Module, *, is_wanted: bool) -> None:
        """
        Have all parameters applied.

        Source:
            spec interfaces 5.1.
        """
        running = module.enabled
        if self._release < COMMIT_WAITS_SINCE:
            branch.set_value("commit_inputs", is_wanted)
            if is_wanted and isinstance(running, EnabledModule):
                running.commit_later(partial(self._take_inputs, branch))
        elif is_wanted and isinstance(running, EnabledModule):
            preset = self._preset(branch)
            self._let_time_pass()
            await running.commit(preset)
            self._write_back(branch, running.region)
        elif is_wanted:
            number = errno.EINVAL if module.running is None else errno.ECANCELED
            raise refusal(number, "it is not enabled")

    def _take_inputs(self, branch: Branch) -> ModuleParameters | None:
        """Return the parameters if they are still to be applied, and note that they are."""
        if not branch.number("commit_inputs") or self._memory is None:
            return None
        branch.set_value("commit_inputs", False)
        preset = self._preset(branch)
        self._write_back(branch, preset.region(self._memory, self._rules))
        return preset

    def _preset(self, branch: Branch) -> ModuleParameters:
        """
        Read all parameters that this release has.

        Raises:
            InvalidError: If they make no sense together.
        """
        model = TUNABLE[_name_of(branch)]
        names = model.kernel_names()
        # Which value belongs to which field, the model knows.
        given: dict[str, Any] = {
            names[each]: branch.value(each) for each in names if branch.has(each)
        }
        return model(**given)

    def _write_back(self, branch: Branch, region: AddressRange) -> None:
        """Show the range that was chosen."""
        if branch.has("monitor_region_start") and not branch.number("monitor_region_end"):
            branch.set_value("monitor_region_start", region.start)
            branch.set_value("monitor_region_end", region.end)

    # -- Time ----------------------------------------------------------------

    def _let_time_pass(self) -> None:
        """Let virtual time pass until the write is over."""
        if self._hold is not None:
            self._hold.release()

    def _hold_or_not(self) -> None:
        """Hold virtual time, if asked to, while a module runs."""
        if self._hold is None:
            return
        if any(module.enabled is not None for module in self._modules.values()):
            self._hold.take()
        else:
            self._hold.release()


def _name_of(branch: Branch) -> str:
    """Return the name of the module whose parameters are in *branch*."""
    return branch.parent.name if branch.parent is not None else ""
