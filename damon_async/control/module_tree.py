"""
The parameters of the static modules as a tree, declared once for all releases.

Source:
    spec interfaces 5.
"""

from __future__ import annotations

import errno
from typing import Final

from ..engine.engine import Damon
from ..modules.lru_sort import LruSort
from ..modules.parameters import ModuleParameters
from ..modules.reclaim import Reclaim
from ..spaces.space import Space
from .admin_words import V6_3, V6_9, V6_17, V6_18, V7_0
from .declared import READ_ONLY, Directory, File, Role
from .module_behavior import LRU_SORT, RECLAIM, STAT, Modules
from .pids import PidOf
from .profiles import NEXT, SEED, Profile, Release
from .tree import Tree
from .values import BOOL, KEPT, POSITIVE_U64, U64, Value

V5_19: Final = Release(5, 19)
V6_0: Final = Release(6, 0)

NO_IDLE_TIMES: Final = b",".join([b"0"] * 101) + b"\n"
"""What the percentiles are before there are any."""

ENABLED: Final = File(
    "enabled",
    BOOL,
    False,
    role=Role.LIVE,
    refuses=(errno.EINVAL, errno.EBUSY, errno.ENOMEM),
    about="Y starts the module alone, N stops it.",
)

KDAMOND_PID: Final = File(
    "kdamond_pid", KEPT, b"-1\n", mode=READ_ONLY, role=Role.ASKED, about="Who runs it; -1: nobody."
)

COMMIT_INPUTS: Final = File(
    "commit_inputs",
    BOOL,
    False,
    V5_19,
    role=Role.LIVE,
    refuses=(errno.EINVAL, errno.ECANCELED),
    about="Y applies all other parameters anew.",
)


def _setting(preset: type[ModuleParameters], name: str, about: str, since: Release = SEED) -> File:
    """Declare a parameter that the preset knows: the default is there."""
    default: Value = preset.model_fields[preset.kernel_names()[name]].default
    # Only this one is looked at when it is written.
    number = POSITIVE_U64 if name == "addr_unit" else U64
    kind = BOOL if isinstance(default, bool) else number
    return File(name, kind, default, since, about=about)


def _common(preset: type[ModuleParameters], tuned_since: Release) -> tuple[File, ...]:
    """Declare what both modules have that act."""
    return (
        ENABLED,
        COMMIT_INPUTS,
        KDAMOND_PID,
        _setting(preset, "quota_ms", "Time for actions per reset interval, in ms; 0: any."),
        _setting(preset, "quota_reset_interval_ms", "After how long quotas begin anew, in ms."),
        _setting(preset, "wmarks_interval", "Time between looks at free memory, in us."),
        _setting(preset, "wmarks_high", "Free memory above which it rests, in permil."),
        _setting(preset, "wmarks_mid", "Free memory below which it acts, in permil."),
        _setting(preset, "wmarks_low", "Free memory below which it rests, in permil."),
        _setting(preset, "sample_interval", "Sampling interval, in us."),
        _setting(preset, "aggr_interval", "Aggregation interval, in us."),
        _setting(preset, "min_nr_regions", "Fewest regions, at least 3."),
        _setting(preset, "max_nr_regions", "Most regions."),
        _setting(preset, "monitor_region_start", "First address; with 0 and 0 one is chosen."),
        _setting(preset, "monitor_region_end", "One past the last address."),
        _setting(preset, "addr_unit", "Bytes per address.", V6_18),
        _setting(
            preset,
            "autotune_monitoring_intervals",
            "Whether intervals follow what is found.",
            tuned_since,
        ),
    )


def _counter(name: str, about: str) -> File:
    return File(name, U64, mode=READ_ONLY, role=Role.ASKED, about=about)


def _lru_counters(kind: str) -> tuple[File, ...]:
    return (
        _counter(f"nr_lru_sort_tried_{kind}_regions", f"How often {kind} memory was tried."),
        _counter(f"bytes_lru_sort_tried_{kind}_regions", f"How much {kind} memory was tried."),
        _counter(f"nr_lru_sorted_{kind}_regions", f"How often {kind} memory was sorted."),
        _counter(f"bytes_lru_sorted_{kind}_regions", f"How much {kind} memory was sorted."),
        _counter(f"nr_{kind}_quota_exceeds", f"How often the {kind} quota was used up."),
    )


RECLAIM_FILES: Final = (
    *_common(Reclaim, NEXT),
    _setting(Reclaim, "min_age", "For how long memory must be idle to be paged out, in us."),
    _setting(Reclaim, "quota_sz", "Bytes to page out per reset interval; 0: any."),
    _setting(
        Reclaim, "quota_mem_pressure_us", "Stall per reset interval to aim at; 0: none.", V6_9
    ),
    _setting(Reclaim, "quota_autotune_feedback", "The user's view; 10000 is as wanted.", V6_9),
    _setting(Reclaim, "skip_anon", "Whether anonymous memory is left alone.", V6_3),
    _counter("nr_reclaim_tried_regions", "How often paging out was tried."),
    _counter("bytes_reclaim_tried_regions", "How much memory paging out was tried on."),
    _counter("nr_reclaimed_regions", "How often memory was paged out."),
    _counter("bytes_reclaimed_regions", "How much memory was paged out."),
    _counter("nr_quota_exceeds", "How often the quota was used up."),
)

LRU_SORT_FILES: Final = (
    *_common(LruSort, V7_0),
    _setting(LruSort, "hot_thres_access_freq", "From which access rate on it is hot, in permil."),
    _setting(LruSort, "cold_min_age", "For how long memory must be idle to be cold, in us."),
    _setting(LruSort, "active_mem_bp", "Share that shall be active, in bp; 0: any.", V7_0),
    _setting(LruSort, "filter_young_pages", "Whether pages are looked at one by one.", V7_0),
    *_lru_counters("hot"),
    *_lru_counters("cold"),
)

STAT_FILES: Final = (
    ENABLED,
    File(
        "kdamond_pid",
        KEPT,
        b"-1\n",
        NEXT,
        mode=READ_ONLY,
        role=Role.ASKED,
        about="Who runs it; -1: nobody.",
    ),
    _counter("estimated_memory_bandwidth", "Bytes accessed per second."),
    File(
        "memory_idle_ms_percentiles",
        KEPT,
        NO_IDLE_TIMES,
        mode=READ_ONLY,
        role=Role.ASKED,
        about="Idle times in ms at percentiles 0 to 100 of the memory; in use is negative.",
    ),
    File(
        "aggr_interval_us",
        U64,
        since=V6_18,
        mode=READ_ONLY,
        role=Role.ASKED,
        about="The aggregation interval in use.",
    ),
)


def _module(name: str, files: tuple[File, ...], since: Release, about: str) -> Directory:
    parameters = Directory("parameters", files, about="One file per parameter.")
    return Directory(name, directories=(parameters,), since=since, about=about)


MODULE: Final = Directory(
    "module",
    directories=(
        _module(RECLAIM, RECLAIM_FILES, SEED, "Pages out what is idle for long."),
        _module(LRU_SORT, LRU_SORT_FILES, V6_0, "Sorts memory by how hot it is."),
        _module(STAT, STAT_FILES, V6_17, "Tells how idle memory is."),
    ),
    about="Modules of the kernel that use DAMON.",
)
"""The directory ``/sys/module``, as far as it is about DAMON."""


def module_tree(
    damon: Damon,
    profile: Profile | str = Profile.V6_18,
    memory: Space | None = None,
    *,
    holds_time: bool = False,
    pids: PidOf | None = None,
) -> Tree:
    """
    Return a tree of the modules' parameters, which runs them.

    Modules start exclusively: they share the gate of *damon* with all else that
    runs there, and run alone.

    Args:
        damon: Runs them; must be open when one is enabled. Its metrics are what
            watermarks ask.

        profile: Which kernel's modules they are, also as text.

        memory: The physical memory; None if there is none, and then none of them
            can be enabled.

        holds_time: Whether virtual time stands still while one is enabled, except
            while a write waits.

        pids: Names kdamonds; give all trees on one engine the same. By default
            numbers of its own.
    """
    profile = Profile(profile)
    behavior = Modules(damon, profile, memory, holds_time=holds_time, pids=pids)
    return Tree(MODULE, profile, behavior)
