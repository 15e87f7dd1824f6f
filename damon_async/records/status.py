"""
What kdamonds are and did, as damo writes it: parameters with state and counters.

``<record>.kdamonds`` is such a list. Whoever wants the parameters alone reads it
with ``side_files.read_kdamonds``.

Source:
    spec damo 2, the last points.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from ..errors import InputFileError, InvalidError
from ..params.base import join_paths, parse_count
from ..params.document import load_document, to_document
from ..params.monitoring import Kdamond
from .beside import written_beside

OFF: Final = "off"
"""The state of a kdamond that does not run."""


@dataclass(frozen=True, slots=True)
class SchemeCounters:
    """
    What one scheme did.

    Attributes:
        nr_tried: Regions that the action was tried on.

        sz_tried: Bytes of them.

        nr_applied: Regions in which it did something.

        sz_applied: Bytes that it did something to.

        sz_ops_filter_passed: Bytes that passed the back end's filters.

        qt_exceeds: Charge windows that ended with the quota used up.

        nr_snapshots: Completed walks over all regions.

        max_nr_snapshots: After how many of them it rests; 0 means never.
    """

    nr_tried: int = 0
    sz_tried: int = 0
    nr_applied: int = 0
    sz_applied: int = 0
    sz_ops_filter_passed: int = 0
    qt_exceeds: int = 0
    nr_snapshots: int = 0
    max_nr_snapshots: int = 0


@dataclass(frozen=True, slots=True)
class KdamondStatus:
    """
    One kdamond.

    Attributes:
        kdamond: Its parameters.

        counters: What its schemes did: context by context, one per scheme; None
            where nobody has asked.

        state: ``on`` or ``off``.

        pid: The process that it is; None if there is none.
    """

    kdamond: Kdamond
    counters: tuple[tuple[SchemeCounters | None, ...], ...] = ()
    state: str = OFF
    pid: int | None = None

    def counters_of(self, context_idx: int, scheme_idx: int) -> SchemeCounters | None:
        """Return what a scheme did; None if nobody knows."""
        own = self.counters[context_idx : context_idx + 1]
        return next(iter(own[0][scheme_idx : scheme_idx + 1]), None) if own else None


def status_trees(
    statuses: Iterable[KdamondStatus], *, raw: bool, omit_defaults: bool = False
) -> list[dict[str, Any]]:
    """
    Build the list that damo writes, ready for ``json.dump``.

    Args:
        statuses: The kdamonds.

        raw: Write plain numbers. Human forms lose precision.

        omit_defaults: Leave out parameters that say what their absence says.
    """
    trees = []
    for status in statuses:
        document = to_document([status.kdamond], raw=raw, omit_defaults=omit_defaults)
        tree: dict[str, Any] = document["kdamonds"][0]
        for number, context in enumerate(tree["contexts"]):
            for index, scheme in enumerate(context["schemes"]):
                counters = status.counters_of(number, index)
                if counters is not None:
                    scheme["stats"] = asdict(counters)
        trees.append({"state": status.state, "pid": status.pid, **tree})
    return trees


def write_status(path: str | os.PathLike[str], statuses: Iterable[KdamondStatus]) -> None:
    """
    Write kdamonds with their counters.

    Args:
        path: The file; for those of a record, ``side_files.kdamonds_path``.

        statuses: The kdamonds.

    Raises:
        InvalidError: If nothing can be written there.
    """
    with written_beside(path) as out:
        out.write(json.dumps(status_trees(statuses, raw=True), indent=4).encode() + b"\n")


def read_status(path: str | os.PathLike[str]) -> tuple[KdamondStatus, ...]:
    """
    Read kdamonds, with their counters as far as the file has any.

    Args:
        path: A ``.kdamonds`` file, or any parameter document in JSON.

    Raises:
        InputFileError: If it cannot be read, or anything in it is wrong.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        kdamonds = load_document(text)
        tree = json.loads(text)
        listed = tree["kdamonds"] if isinstance(tree, Mapping) else tree
        return tuple(map(_status, kdamonds, listed, range(len(kdamonds))))
    except OSError as error:
        raise InputFileError(path, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise InputFileError(path, "not a parameter document; expected UTF-8 text") from None
    except InvalidError as error:
        raise InputFileError(path, str(error)) from error


def _status(kdamond: Kdamond, tree: Mapping[str, Any], index: int) -> KdamondStatus:
    # The parameters were understood, so the tree has the shape that they need.
    counters = tuple(
        tuple(
            _counters(scheme, f"kdamonds[{index}].contexts[{number}].schemes[{place}].stats")
            for place, scheme in enumerate(context.get("schemes", ()))
        )
        for number, context in enumerate(tree["contexts"])
    )
    state, pid = tree.get("state") or OFF, tree.get("pid")
    return KdamondStatus(kdamond, counters, str(state), pid if isinstance(pid, int) else None)


def _counters(scheme: Mapping[str, Any], path: str) -> SchemeCounters | None:
    stats = scheme.get("stats")
    if stats is None:
        return None
    if not isinstance(stats, Mapping):
        msg = f"{path}: must be an object with named counters"
        raise InvalidError(msg)
    return SchemeCounters(**dict(_numbers(stats, [f.name for f in fields(SchemeCounters)], path)))


def _numbers(
    stats: Mapping[str, Any], names: Sequence[str], path: str
) -> Iterable[tuple[str, int]]:
    for name in names:
        # Older releases have fewer counters.
        if stats.get(name) is None:
            continue
        try:
            yield name, parse_count(stats[name])
        except InvalidError as error:
            msg = f"{join_paths(path, name)}: {error}"
            raise InvalidError(msg) from None
