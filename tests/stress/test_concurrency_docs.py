"""The page about tests under concurrency says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from damon_async.stress.scenarios import SCENARIOS
from damon_async.stress.trials import Fault
from damon_async.testing import faults

from .planted import BUGS

pytest_plugins = ["pytester"]

BLOCK = re.compile(r"```python\n(.*?)```\n", re.DOTALL)


@pytest.fixture
def page(root: Path) -> str:
    """Return the page."""
    return (root / "docs" / "concurrency.md").read_text(encoding="utf-8")


def test_examples_of_tests(
    page: str, pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    """The tests on the page pass, save for the one of which it says that it fails."""
    fixtures, _, sweeps = BLOCK.findall(page)
    # Six minutes of an hour do as well.
    shorter = fixtures.replace("sleep(3600)", "sleep(36)").replace("36_000", "360")
    assert shorter != fixtures
    is_loaded = request.config.pluginmanager.hasplugin("damon_async")
    loading = "" if is_loaded else "-p damon_async.testing.plugin"
    scope = "asyncio_default_fixture_loop_scope = function"
    options = f"asyncio_mode = auto\n{scope}\naddopts = -p no:cacheprovider {loading}"
    pytester.makefile(".ini", pytest=f"[pytest]\n{options}\n")
    pytester.makepyfile(f"{shorter}\n{sweeps}")
    result = pytester.runpytest()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(['*replay(two_add, "*'])


def test_numbers(page: str) -> None:
    """The page says how many scenarios, faults and bugs there are."""
    words = {10: "ten kinds", 12: "twelve scenarios", 16: "Sixteen bugs"}
    assert words[len(Fault)] in page
    assert words[len(SCENARIOS)] in page
    assert words[len(BUGS)] in page


def test_names(page: str, root: Path) -> None:
    """Files and injectors that the page names exist."""
    for name in set(re.findall(r"`(testing/\w+\.py)`", page)):
        assert (root / "damon_async" / name).is_file(), name
    for name in set(re.findall(r"`(tests/[\w/]+\.py)`", page)):
        assert (root / name).is_file(), name
    table = page.split("| Injector |")[1].split("\n\n", maxsplit=1)[0]
    names = re.findall(r"^\| `(\w+)\(", table, re.MULTILINE)
    assert len(names) == 6
    assert all(hasattr(faults, name) for name in names)
