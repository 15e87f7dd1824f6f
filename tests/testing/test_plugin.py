"""The plugin, in pytest runs of its own: who asks gets its fixtures, nobody else pays."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from damon_async.stress.scenarios import SCENARIOS
from damon_async.testing.explore import ScheduleFailure

pytest_plugins = ["pytester"]

LOADED = (ScheduleFailure, SCENARIOS)
"""What runs in this process forget to have imported, and numpy can be imported once only."""

INI = """
[pytest]
asyncio_mode = {mode}
asyncio_default_fixture_loop_scope = function
filterwarnings = error
addopts = -p no:cacheprovider -p no:xdist -p no:hypothesispytest {loading}
"""


@pytest.fixture
def loading(request: pytest.FixtureRequest) -> str:
    """Return the option that loads the plugin, empty where its entry point has done so."""
    is_loaded = request.config.pluginmanager.hasplugin("damon_async")
    return "" if is_loaded else "-p damon_async.testing.plugin"


@pytest.fixture(params=["auto", "strict"])
def tester(
    request: pytest.FixtureRequest, pytester: pytest.Pytester, loading: str
) -> pytest.Pytester:
    """Return a run in either mode of pytest-asyncio, with the plugin loaded."""
    pytester.makefile(".ini", pytest=INI.format(mode=request.param, loading=loading))
    return pytester


def test_entry_point() -> None:
    """The package names its plugin in an entry point of pytest."""
    found = [each for each in entry_points(group="pytest11") if each.name == "damon_async"]
    if not found:
        pytest.skip("the package was installed before it had a plugin")
    assert [each.value for each in found] == ["damon_async.testing.plugin"]


def test_engine_and_tree(tester: pytest.Pytester) -> None:
    """Tests get an open engine of virtual time, and a control tree on it."""
    tester.makepyfile("""
        import pytest
        from damon_async import Context

        @pytest.mark.asyncio
        async def test_engine(damon, virtual_clock):
            [kdamond] = await damon.start([Context(ops="paddr")])
            await virtual_clock.sleep(5)
            assert damon.clock is virtual_clock
            assert kdamond.is_running

        @pytest.mark.asyncio
        async def test_tree(damon, control_tree):
            control_tree.write("kdamonds/nr_kdamonds", "1")
            context = "kdamonds/0/contexts"
            control_tree.write(f"{context}/nr_contexts", "1")
            control_tree.write(f"{context}/0/targets/nr_targets", "1")
            control_tree.write(f"{context}/0/targets/0/pid_target", "1")
            await control_tree.write_async("kdamonds/0/state", "on")
            assert damon.nr_running == 1

        def test_clock(virtual_clock):
            assert virtual_clock.now_us() == 0
    """)
    tester.runpytest().assert_outcomes(passed=3)


def test_world_of_ones_own(tester: pytest.Pytester) -> None:
    """Overriding one fixture gives the tree other processes."""
    tester.makepyfile("""
        import pytest
        from damon_async.control.world import World

        @pytest.fixture
        def control_world():
            return World()

        @pytest.mark.asyncio
        async def test_tree(control_tree):
            control_tree.write("kdamonds/nr_kdamonds", "1")
            control_tree.write("kdamonds/0/contexts/nr_contexts", "1")
            path = "kdamonds/0/contexts/0/avail_operations"
            assert "paddr" not in control_tree.read(path).decode()
    """)
    tester.runpytest().assert_outcomes(passed=1)


def test_oracles_watch(tester: pytest.Pytester) -> None:
    """A test that breaks a rule fails, although it asserts nothing."""
    tester.makepyfile("""
        import pytest

        @pytest.mark.asyncio
        async def test_engine(damon):
            damon.gate.admit_nowait(2, exclusive=True)
            damon.gate._is_exclusive = False
            damon.gate.leave()
    """)
    result = tester.runpytest()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*OracleError: *but 1 contexts are inside exclusively*"])


def test_explore(tester: pytest.Pytester) -> None:
    """A scenario that fails under some schedule fails its test, with what repeats it."""
    tester.makepyfile("""
        import asyncio

        async def racy():
            seen = []

            async def put(value):
                await asyncio.sleep(0)
                seen.append(value)

            await asyncio.gather(put(1), put(2))
            assert seen == [1, 2]

        async def sound():
            await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))

        def test_racy(explore):
            explore(racy)

        def test_sound(explore):
            assert explore(sound, schedules=20).nr_schedules == 20

        def test_seed(explore, damon_seed):
            assert explore(sound, schedules=2).seed == damon_seed == 17
    """)
    result = tester.runpytest("--damon-seed=17")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*racy fails under schedule*", '*replay(racy, "*'])


def test_loop_factories(tester: pytest.Pytester) -> None:
    """The engine runs on whatever loops a test suite asks for, that of virtual time included."""
    tester.makeconftest("""
        import asyncio
        from damon_async.testing.loops import VirtualTimeLoop

        def pytest_asyncio_loop_factories(config, item):
            return {"asyncio": asyncio.new_event_loop, "virtual": VirtualTimeLoop}
    """)
    tester.makepyfile("""
        import asyncio, pytest
        from damon_async import Context

        @pytest.mark.asyncio
        async def test_engine(damon):
            [kdamond] = await damon.start([Context(ops="paddr")])
            await damon.clock.sleep(1)
            await damon.stop([kdamond])
    """)
    tester.runpytest().assert_outcomes(passed=2)


def test_without_pytest_asyncio(pytester: pytest.Pytester, loading: str) -> None:
    """Where anyio's plugin runs async tests, it runs the fixtures as well."""
    options = f"addopts = -p no:asyncio -p no:cacheprovider {loading}"
    pytester.makefile(".ini", pytest=f"[pytest]\n{options}\n")
    pytester.makepyfile("""
        import pytest
        from damon_async import Context

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_engine(damon):
            await damon.start([Context(ops="paddr")])
            assert damon.nr_running == 1
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_costs_nothing() -> None:
    """To have the plugin installed imports neither the engine nor what that needs."""
    code = (
        "import sys, damon_async.testing.plugin, damon_async.testing.async_fixtures;"
        "names = {name.split('.')[0] for name in sys.modules};"
        "ours = sorted(name for name in sys.modules if name.startswith('damon_async'));"
        "print(sorted(names & {'numpy', 'pydantic', 'anyio', 'structlog', 'asyncio'}), ours)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "[] ['damon_async', 'damon_async.testing', 'damon_async.testing.async_fixtures', "
        "'damon_async.testing.plugin']"
    )
