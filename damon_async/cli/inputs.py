"""What a user may name as a workload: all that spaces know, and DAMON's own records."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import ConfigDict

from ..errors import InputFileError, ParametersError, Problem
from ..params.base import Count, Parameters
from ..records.files import read_records
from ..records.record import Record, joined
from ..records.snapshot import Snapshot
from ..spaces.layout import SMALL_PAGE, PageSize
from ..spaces.options import build, split_path
from ..spaces.record_space import RecordedState, RecordSpace
from ..spaces.space import Space
from ..spaces.workload import GENERATORS, open_workload, workload_forms

RECORD: Final = "damon"
"""Name of the form of DAMON records, as in ``damon:PATH``."""

RECORD_DESCRIPTION: Final = "DAMON record, its estimate replayed as if it were the truth"
"""What it is, for help texts."""

_PEEK_BYTES: Final = 4096
_SCRIPT_MARK: Final = b"damon:damon_aggregated"


class RecordOptions(Parameters, frozen=True):
    """How to replay a DAMON record."""

    # The docstrings below the fields are what the command line prints.
    model_config = ConfigDict(use_attribute_docstrings=True)

    target: Count | None = None
    """Which target, if the record has several."""

    page_size: PageSize = SMALL_PAGE
    """Bytes that share one accessed mark."""


def open_input(spec: str, *, seed: int) -> Space:
    """
    Open any workload by its text form.

    Args:
        spec: As for ``open_workload``, or a DAMON record with ``RecordOptions``.

        seed: For what is random.

    Raises:
        InputFileError: If a file cannot be read or is none of the forms.

        InvalidError: If *spec* is neither a file nor a generator, or its options
            are wrong.
    """
    form, path, options = _parts(spec)
    # Records are read a floor above spaces, so this cannot be done by them.
    if form == RECORD or (not form and looks_like_record(path)):
        return _open_record(path, build(RecordOptions, options, {}))
    return open_workload(spec, seed=seed)


def absolute_spec(spec: str) -> str:
    """Return *spec* with an absolute path, so that it is found from any folder."""
    form, path, options = _parts(spec)
    if form in GENERATORS:
        return spec
    return f"{form}{':' * bool(form)}{path.resolve()}{',' * bool(options)}{options}"


def looks_like_record(path: Path) -> bool:
    """
    Tell from the first bytes whether a file is a DAMON record.

    False also if it cannot be read: whoever reads it next says why.
    """
    head = _beginning(path)
    # A list is JSON of ours; JSON lines of other traces begin with an object.
    return head.lstrip()[:1] == b"[" or _SCRIPT_MARK in head or _is_deflated(head)


def _parts(spec: str) -> tuple[str, Path, str]:
    """Divide into form (or generator; empty if none is said), path and options."""
    form, colon, rest = spec.partition(":")
    form = form.strip()
    # Anything else before a colon belongs to the name of a file.
    if not colon or form not in (*GENERATORS, RECORD, *workload_forms()):
        form, rest = "", spec
    path, options = split_path(rest)
    return form, Path(path), options


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_PEEK_BYTES)
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path) as file:
                return file.read(_PEEK_BYTES)
        if head.startswith(b"\xfd7zXZ\x00"):
            with lzma.open(path) as file:
                return file.read(_PEEK_BYTES)
    except (OSError, EOFError, lzma.LZMAError):
        # Whoever reads the whole file has a better sentence for it.
        return b""
    return head


def _is_deflated(head: bytes) -> bool:
    try:
        # Tried rather than looked at: a text may begin with the same two bytes.
        return bool(zlib.decompressobj().decompress(head, 1))
    except zlib.error:
        return False


def _open_record(path: Path, options: RecordOptions) -> RecordSpace:
    record = _chosen(joined(read_records(path)), options.target, path)
    if not record.snapshots:
        raise InputFileError(path, "holds no snapshots, so there is nothing to replay")
    return RecordSpace([_state(each) for each in record.snapshots], options.page_size)


def _chosen(records: Sequence[Record], target: int | None, path: Path) -> Record:
    """Return the record of a target; of the first kdamond that has it."""
    # Regions that a scheme tried are not all that was monitored.
    whole = [each for each in records if each.scheme_idx is None] or records
    targets = sorted({each.target_id for each in whole if each.target_id is not None})
    if target is None and len(targets) < 2:
        return whole[0]
    listed = ", ".join(map(str, targets))
    if target is None:
        wrong = f"has several targets, {listed}; choose one, as in {RECORD}:{path},target=0"
        raise InputFileError(path, wrong)
    for record in whole:
        if record.target_id == target:
            return record
    raise ParametersError([Problem("target", f"{path} has no target {target}; it has {listed}")])


def _state(snapshot: Snapshot) -> RecordedState:
    # Without intervals neither the largest count nor ages in time are known.
    is_timed = snapshot.aggr_us > 0
    return RecordedState(
        snapshot.start_ns // 1000,
        snapshot.end_ns // 1000,
        snapshot.start,
        snapshot.end,
        snapshot.nr_accesses,
        snapshot.sample_us,
        snapshot.max_nr_accesses if is_timed else 0,
        np.maximum(snapshot.age, 0) * snapshot.aggr_us if is_timed else None,
    )
