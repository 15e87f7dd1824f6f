from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"```(python|text)\n(.*?)```\n", re.DOTALL)


def test_example(root: Path, tmp_path: Path) -> None:
    """The example of docs/explorer.md prints what the page says."""
    blocks = BLOCK.findall((root / "docs" / "explorer.md").read_text(encoding="utf-8"))
    (_, program), (_, expected) = blocks[:2]
    path = tmp_path / "src" / "readers.py"
    path.parent.mkdir()
    path.write_text(program, encoding="utf-8")
    run = subprocess.run([sys.executable, path], capture_output=True, check=True, text=True)
    assert run.stdout == expected


def test_names(root: Path) -> None:
    """Every name in code on the page that looks like a file of the room is one."""
    page = (root / "docs" / "explorer.md").read_text(encoding="utf-8")
    for name in set(re.findall(r"`(testing/\w+\.py)`", page)):
        assert (root / "damon_async" / name).is_file(), name
