"""
What lies beside a record file: its parameters, and where its truth is found.

``<record>.kdamonds`` is damo's: a JSON list of kdamonds. ``<record>.workload``
is ours: which synthetic memory each target was, so that a later report can
compare the estimate with what really happened.

Source:
    spec damo 1.3 and 2.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputFileError, InvalidError
from ..params.base import parse_count
from ..params.document import load_document_file, to_document
from ..params.monitoring import Kdamond
from .beside import written_beside
from .json_fields import read_required, wrong


@dataclass(frozen=True, slots=True)
class Workload:
    """The synthetic memory behind one target."""

    spec: str
    """What ``spaces.workload.open_workload`` was given: a path or a generator."""

    seed: int = 0
    """Seed of the workload's own randomness."""

    page_size: int = 4096
    """Bytes of a page."""

    start_us: int = 0
    """What the clock said when recording began, in microseconds."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else is needed to open it again; values are JSON."""


def kdamonds_path(record_path: str | os.PathLike[str]) -> Path:
    """Name the file that holds the parameters of a recording."""
    return Path(f"{os.fspath(record_path)}.kdamonds")


def workload_path(record_path: str | os.PathLike[str]) -> Path:
    """Name the file that says what was recorded."""
    return Path(f"{os.fspath(record_path)}.workload")


def write_kdamonds(record_path: str | os.PathLike[str], kdamonds: Iterable[Kdamond]) -> None:
    """
    Write the parameters of a recording beside it, as the list that damo writes.

    Raises:
        InvalidError: If nothing can be written there.
    """
    # Plain numbers: the human forms lose precision.
    _write(kdamonds_path(record_path), to_document(kdamonds, raw=True)["kdamonds"])


def read_kdamonds(record_path: str | os.PathLike[str]) -> tuple[Kdamond, ...]:
    """
    Read the parameters that lie beside a record file.

    Raises:
        InputFileError: If there are none, or anything in them is wrong.
    """
    return load_document_file(kdamonds_path(record_path))


def write_workloads(record_path: str | os.PathLike[str], workloads: Sequence[Workload]) -> None:
    """
    Write what was recorded, one workload per target, beside the record.

    Raises:
        InvalidError: If nothing can be written there.
    """
    _write(workload_path(record_path), {"targets": [asdict(each) for each in workloads]})


def read_workloads(record_path: str | os.PathLike[str]) -> list[Workload]:
    """
    Read what was recorded: one workload per target, in their order.

    Raises:
        InputFileError: If it is not known, or the file is not one of ours.
    """
    path = workload_path(record_path)
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        targets = tree["targets"]
        return [_workload(each, f"targets[{i}]") for i, each in enumerate(targets)]
    except OSError as error:
        raise InputFileError(path, error.strerror or str(error)) from None
    except InvalidError as error:
        raise InputFileError(path, str(error)) from None
    # ValueError covers both text that is no UTF-8 and text that is no JSON.
    except (ValueError, KeyError, TypeError):
        raise InputFileError(path, "not a list of workloads as `record` writes it") from None


def _workload(tree: object, path: str) -> Workload:
    if not isinstance(tree, Mapping):
        raise wrong(path, "must be an object")
    spec, options = tree.get("spec"), tree.get("options", {})
    if not isinstance(spec, str):
        raise wrong(f"{path}.spec", "must be the text that names the workload")
    if not isinstance(options, Mapping):
        raise wrong(f"{path}.options", "must be an object")
    numbers = {
        key: read_required(parse_count, tree, key, path)
        for key in ("seed", "page_size", "start_us")
    }
    return Workload(spec, options=options, **numbers)


def _write(path: Path, tree: object) -> None:
    with written_beside(path) as out:
        # Indented: other than records, these are short, and people read them.
        out.write(json.dumps(tree, indent=4).encode() + b"\n")
