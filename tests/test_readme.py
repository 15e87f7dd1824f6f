"""The README is run, so that it stays true."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest


def _code_blocks(root: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language in the README."""
    text = (root / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_embedding_example_runs(root: Path, tmp_path: Path) -> None:
    """The example of embedding prints a line per aggregation, and finds the stairs."""
    [code] = _code_blocks(root, "python")
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    lines = [line for line in done.stdout.splitlines() if line.endswith("KiB hot")]
    assert len(lines) == 100
    sizes = sorted(int(line.split()[-3]) for line in lines)
    assert sizes[50] == pytest.approx(6554, rel=0.1)


def test_embedding_example_is_short(root: Path) -> None:
    """Embedding takes about ten lines."""
    [code] = _code_blocks(root, "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 12


def test_commands_are_known(root: Path) -> None:
    """Every command of the README is one that the command line has."""
    pytest.importorskip("cyclopts", reason="the command line is an extra: cli")
    from damon_async.cli.app import build_app

    text = "\n".join(_code_blocks(root, "")).replace("\\\n", " ")
    commands = {
        shlex.split(line, comments=True)[1]
        for line in text.splitlines()
        if line.startswith("damon-async ")
    }
    assert commands
    assert commands <= set(build_app())


def test_make_targets_exist(root: Path) -> None:
    """Every make target of the README is in the Makefile."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`?make ([a-z]+)", readme))
    assert targets <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
