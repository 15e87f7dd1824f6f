"""
DAMON, the Linux data access monitor, as an asyncio engine over synthetic memory.

This is the door: the public names, each fetched from its file when it is first
asked for, so that ``import damon_async`` costs next to nothing. Nobody inside
the package imports it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .control.dbgfs import dbgfs_tree as dbgfs_tree
    from .control.live import TreePortal as TreePortal, live_tree as live_tree
    from .control.module_tree import module_tree as module_tree
    from .control.mount import mounted as mounted
    from .control.profiles import Profile as Profile
    from .control.tree import Tree as Tree
    from .control.world import World as World
    from .engine.clock import RealClock as RealClock
    from .engine.engine import Damon as Damon
    from .engine.gate import AdmissionGate as AdmissionGate
    from .engine.kdamond import Kdamond as Kdamond
    from .engine.virtual_clock import VirtualClock as VirtualClock
    from .errors import (
        BusyError as BusyError,
        CanceledError as CanceledError,
        DamonError as DamonError,
        InputFileError as InputFileError,
        InvalidError as InvalidError,
        MissingExtraError as MissingExtraError,
        NoMemoryError as NoMemoryError,
        NotRunningError as NotRunningError,
        ParametersError as ParametersError,
        Problem as Problem,
        SelfStopError as SelfStopError,
        UnitError as UnitError,
    )
    from .modules.lru_sort import LruSort as LruSort
    from .modules.reclaim import Reclaim as Reclaim
    from .modules.stat import Stat as Stat
    from .operations.requests import ActionRequest as ActionRequest, Applied as Applied
    from .params.document import (
        load_document as load_document,
        load_document_file as load_document_file,
        to_document as to_document,
    )
    from .params.filters import Filter as Filter
    from .params.intervals import Intervals as Intervals, IntervalsGoal as IntervalsGoal
    from .params.keywords import (
        Action as Action,
        FilterType as FilterType,
        GoalMetric as GoalMetric,
        GoalTuner as GoalTuner,
        WatermarkMetric as WatermarkMetric,
    )
    from .params.monitoring import (
        Context as Context,
        NrRegions as NrRegions,
        Ops as Ops,
        Target as Target,
    )
    from .params.patterns import AccessPattern as AccessPattern
    from .params.quotas import (
        Goal as Goal,
        Quotas as Quotas,
        Watermarks as Watermarks,
        Weights as Weights,
    )
    from .params.ranges import AddressRange as AddressRange
    from .params.scheme_document import (
        load_schemes as load_schemes,
        load_schemes_file as load_schemes_file,
        to_schemes_document as to_schemes_document,
    )
    from .params.schemes import Dest as Dest, Scheme as Scheme
    from .records.files import read_records as read_records, write_records as write_records
    from .records.record import Record as Record
    from .records.snapshot import Snapshot as Snapshot
    from .spaces.masim import load_masim as load_masim
    from .spaces.workload import open_workload as open_workload

# Written out, and not computed from the table below, because tools read it
# without running anything.
__all__ = [
    "AccessPattern",
    "Action",
    "ActionRequest",
    "AddressRange",
    "AdmissionGate",
    "Applied",
    "BusyError",
    "CanceledError",
    "Context",
    "Damon",
    "DamonError",
    "Dest",
    "Filter",
    "FilterType",
    "Goal",
    "GoalMetric",
    "GoalTuner",
    "InputFileError",
    "Intervals",
    "IntervalsGoal",
    "InvalidError",
    "Kdamond",
    "LruSort",
    "MissingExtraError",
    "NoMemoryError",
    "NotRunningError",
    "NrRegions",
    "Ops",
    "ParametersError",
    "Problem",
    "Profile",
    "Quotas",
    "RealClock",
    "Reclaim",
    "Record",
    "Scheme",
    "SelfStopError",
    "Snapshot",
    "Stat",
    "Target",
    "Tree",
    "TreePortal",
    "UnitError",
    "VirtualClock",
    "WatermarkMetric",
    "Watermarks",
    "Weights",
    "World",
    "dbgfs_tree",
    "live_tree",
    "load_document",
    "load_document_file",
    "load_masim",
    "load_schemes",
    "load_schemes_file",
    "module_tree",
    "mounted",
    "open_workload",
    "read_records",
    "to_document",
    "to_schemes_document",
    "write_records",
]

# Which file defines which names. The imports above say the same to type
# checkers; tests/test_door.py holds the two and __all__ together.
_HOMES: Final = {
    "control.dbgfs": ("dbgfs_tree",),
    "control.live": ("TreePortal", "live_tree"),
    "control.module_tree": ("module_tree",),
    "control.mount": ("mounted",),
    "control.profiles": ("Profile",),
    "control.tree": ("Tree",),
    "control.world": ("World",),
    "modules.lru_sort": ("LruSort",),
    "modules.reclaim": ("Reclaim",),
    "modules.stat": ("Stat",),
    "engine.clock": ("RealClock",),
    "engine.engine": ("Damon",),
    "engine.gate": ("AdmissionGate",),
    "engine.kdamond": ("Kdamond",),
    "engine.virtual_clock": ("VirtualClock",),
    "errors": (
        "BusyError",
        "CanceledError",
        "DamonError",
        "InputFileError",
        "InvalidError",
        "MissingExtraError",
        "NoMemoryError",
        "NotRunningError",
        "ParametersError",
        "Problem",
        "SelfStopError",
        "UnitError",
    ),
    "operations.requests": ("ActionRequest", "Applied"),
    "params.document": ("load_document", "load_document_file", "to_document"),
    "params.filters": ("Filter",),
    "params.intervals": ("Intervals", "IntervalsGoal"),
    "params.keywords": ("Action", "FilterType", "GoalMetric", "GoalTuner", "WatermarkMetric"),
    "params.monitoring": ("Context", "NrRegions", "Ops", "Target"),
    "params.patterns": ("AccessPattern",),
    "params.quotas": ("Goal", "Quotas", "Watermarks", "Weights"),
    "params.ranges": ("AddressRange",),
    "params.scheme_document": ("load_schemes", "load_schemes_file", "to_schemes_document"),
    "params.schemes": ("Dest", "Scheme"),
    "records.files": ("read_records", "write_records"),
    "records.record": ("Record",),
    "records.snapshot": ("Snapshot",),
    "spaces.masim": ("load_masim",),
    "spaces.workload": ("open_workload",),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(f".{home}", __name__), name)
            # Found once, it is an ordinary attribute from then on.
            globals()[name] = value
            return value
    # In Python's own words, so that hasattr and misspellings behave as ever.
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # Completion in a shell would else show only what was used before.
    return sorted({*globals(), *__all__})
