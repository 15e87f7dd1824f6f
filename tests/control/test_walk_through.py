from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from damon_async.control.dbgfs import ROOT

from .consoles import quiet

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "walk-through.md"


def blocks(language: str, page: Path = PAGE) -> list[str]:
    """Return the blocks of a language on a page, in order."""
    found: list[str] = re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL
    )
    return found


async def test_walk_through(capsys: pytest.CaptureFixture[str]) -> None:
    """The code of the page, as it stands there, prints what the page says (103 to 105, 120)."""
    story = ModuleType("story")
    exec(compile("\n".join(blocks("python")), str(PAGE), "exec"), vars(story))
    with quiet():
        await story.main()
    assert capsys.readouterr().out == "".join(blocks("text"))


def test_walk_through_in_a_file(tmp_path: Path) -> None:
    """Put into a file and run, the code prints the same, and the log apart from it."""
    file = tmp_path / "story.py"
    file.write_text("\n".join(blocks("python")))
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True)
    assert done.stdout == "".join(blocks("text"))
    assert "kdamond began" in done.stderr


def test_the_story_is_told_in_full() -> None:
    """The page tells every part: busy, the flag's fall, company, and the queue."""
    told = "".join(blocks("text"))
    lines = told.splitlines()
    busy = [line for line in lines if line.endswith("Device or resource busy")]
    assert [line.split()[-5].rstrip(":") for line in busy] == [
        "kdamonds/0/state",
        "kdamonds/0/state",
        "monitor_on",
        "kdamonds/0/state",
    ]
    exclusive = lines.index("<AdmissionGate 1 running exclusively, 0 waiting>")
    fallen = lines.index("<AdmissionGate 0 running, 0 waiting>")
    both = lines.index("<AdmissionGate 2 running, 0 waiting>")
    queued = lines.index("<AdmissionGate 2 running, 2 waiting>")
    admitted = [index for index, line in enumerate(lines) if "was let in" in line]
    assert exclusive < fallen < both < queued < admitted[0] < admitted[1]
    assert "the exclusive one" in lines[admitted[0]]


async def test_the_page_of_debugfs(capsys: pytest.CaptureFixture[str]) -> None:
    """The page about debugfs has every file, and its example works."""
    page = DOCS / "debugfs.md"
    names = [file.name for file in ROOT.files]
    assert [name for name in names if f"`{name}`" not in page.read_text()] == []
    example = ModuleType("example")
    exec(compile("\n".join(blocks("python", page)), str(page), "exec"), vars(example))
    with quiet():
        await example.main()
    told = re.fullmatch(r"idle regions were seen (\d+) times\n", capsys.readouterr().out)
    assert told is not None
    assert int(told[1]) > 0
