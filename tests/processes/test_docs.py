"""The page for users is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from damon_async.processes.lookup import MAX_ACTING
from damon_async.processes.registry import Entry


@pytest.fixture
def page(root: Path) -> str:
    """Return the text of the page."""
    return (root / "docs" / "processes.md").read_text(encoding="utf-8")


def test_the_example_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The program on the page prints what stands below it."""
    ((code, output),) = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "docs/processes.md", "exec"), {})
    assert capsys.readouterr().out == output


def test_every_field_is_shown(page: str) -> None:
    """The file on the page has the fields that are written."""
    (text,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert re.findall(r'"(\w+)":', text) == list(Entry.__dataclass_fields__)


def test_numbers(page: str) -> None:
    """The limit of memory that schemes act on is the one of the code."""
    assert f"From {MAX_ACTING // 1024**3} GiB mapped on" in page
