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
    from .params.document import (
        load_document as load_document,
        load_document_file as load_document_file,
        to_document as to_document,
    )
    from .params.intervals import Intervals as Intervals, IntervalsGoal as IntervalsGoal
    from .params.monitoring import (
        Context as Context,
        NrRegions as NrRegions,
        Ops as Ops,
        Target as Target,
    )
    from .params.ranges import AddressRange as AddressRange
    from .records.files import read_records as read_records, write_records as write_records
    from .records.record import Record as Record
    from .records.snapshot import Snapshot as Snapshot
    from .spaces.masim import load_masim as load_masim
    from .spaces.workload import open_workload as open_workload

# Written out, and not computed from the table below, because tools read it
# without running anything.
__all__ = [
    "AddressRange",
    "AdmissionGate",
    "BusyError",
    "CanceledError",
    "Context",
    "Damon",
    "DamonError",
    "InputFileError",
    "Intervals",
    "IntervalsGoal",
    "InvalidError",
    "Kdamond",
    "MissingExtraError",
    "NoMemoryError",
    "NotRunningError",
    "NrRegions",
    "Ops",
    "ParametersError",
    "Problem",
    "RealClock",
    "Record",
    "SelfStopError",
    "Snapshot",
    "Target",
    "UnitError",
    "VirtualClock",
    "load_document",
    "load_document_file",
    "load_masim",
    "open_workload",
    "read_records",
    "to_document",
    "write_records",
]

# Which file defines which names. The imports above say the same to type
# checkers; tests/test_door.py holds the two and __all__ together.
_HOMES: Final = {
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
    "params.document": ("load_document", "load_document_file", "to_document"),
    "params.intervals": ("Intervals", "IntervalsGoal"),
    "params.monitoring": ("Context", "NrRegions", "Ops", "Target"),
    "params.ranges": ("AddressRange",),
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
