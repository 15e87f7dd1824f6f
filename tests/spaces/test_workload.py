"""One text for any synthetic memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from damon_async.errors import InputFileError, InvalidError, ParametersError
from damon_async.spaces.options import options_of
from damon_async.spaces.patterns import PatternSpace
from damon_async.spaces.space import Space
from damon_async.spaces.trace_space import TraceSpace
from damon_async.spaces.workload import GENERATORS, MASIM, open_workload, workload_forms

CONFIG = "a, 1000000\n\nphase\n5000\na, 0, 4096, 1\n"
TRACE = "l 0x10000000 0\ns 0x20000000 1000\nl 0x30000000 1000\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a masim configuration, under a name that says nothing."""
    path = tmp_path / "some,file"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Return a trace of addresses."""
    path = tmp_path / "a.trace"
    path.write_text(TRACE)
    return path


def pattern(spec: str, seed: int = 0, page_size: int = 4096) -> PatternSpace:
    """Open a workload that is a pattern."""
    space = open_workload(spec, seed=seed, page_size=page_size)
    assert isinstance(space, PatternSpace)
    return space


@pytest.mark.parametrize("name", GENERATORS)
def test_generators(name: str) -> None:
    """Every generator works without options, and is named after itself."""
    space = pattern(name)
    assert isinstance(space, Space)
    assert space.name == name
    assert space.lifetime_us is None


@pytest.mark.parametrize("name", GENERATORS)
def test_every_option_is_documented(name: str) -> None:
    """Every option of every generator has a sentence for help texts."""
    assert GENERATORS[name].__doc__
    for option in options_of(GENERATORS[name]):
        assert option.text.endswith("."), option.name


def test_generator_options() -> None:
    """Options follow the name of a generator."""
    space = pattern("stairs:size=1M,steps=4,step=10ms,duration=1s")
    assert space.lifetime_us == 1_000_000
    mapping = next(m for m in space.mappings(0) if m.name == "stairs")
    assert mapping.end - mapping.start == 2**20


def test_seed_and_page_size() -> None:
    """The seed and the page size are the caller's, unless the options say otherwise."""
    assert pattern("noisy", page_size=8192).page_size == 8192
    assert pattern("noisy:page_size=2M", page_size=8192).page_size == 2**21
    pages = np.arange(2000)[None, :] * 2**19 + pattern("noisy").mappings(0)[2].start
    asked = pages, np.array([[0]]), np.array([[5]])
    one, two = pattern("noisy", seed=1).accessed(*asked), pattern("noisy:seed=2").accessed(*asked)
    assert (one != two).any()
    assert (two == pattern("noisy:seed=2", seed=1).accessed(*asked)).all()


def test_config_by_content(config: Path) -> None:
    """A configuration is recognised by its content."""
    assert pattern(str(config)).lifetime_us == 5_000_000


def test_config_by_name(tmp_path: Path) -> None:
    """What ends in .cfg is read as a configuration, so that its errors have lines."""
    path = tmp_path / "a.cfg"
    path.write_text("a, 100\n\nphase\nsoon\na, 0, 4096, 1\n")
    with pytest.raises(ParametersError, match=r"a\.cfg, line 4: milliseconds"):
        open_workload(str(path))


@pytest.mark.parametrize("prefix", ["", "masim:"])
def test_config_options(config: Path, prefix: str) -> None:
    """A configuration takes options behind its path."""
    space = pattern(f"{prefix}{config},repeat=3,page_size=2M")
    assert (space.lifetime_us, space.page_size) == (15_000_000, 2**21)


def test_wrong_config_options(config: Path) -> None:
    """An unknown option of a configuration is refused with the right ones."""
    with pytest.raises(ParametersError, match="colour: no such option; the options are repeat"):
        open_workload(f"{config},colour=1")


@pytest.mark.parametrize("prefix", ["", "address:"])
def test_trace(trace: Path, prefix: str) -> None:
    """A trace is recognised by its content, or its form is said."""
    space = open_workload(f"{prefix}{trace},duration=20ms")
    assert isinstance(space, TraceSpace)
    assert space.nr_pages == 3
    assert space.lifetime_us is not None
    assert space.lifetime_us <= 20_000


def test_page_size_of_a_trace(trace: Path) -> None:
    """A trace takes the caller's page size, too."""
    space = open_workload(str(trace), page_size=2**30)
    assert isinstance(space, TraceSpace)
    assert space.nr_pages == 1


def test_wrong_trace_options(trace: Path) -> None:
    """An unknown option of a trace is refused with the right ones."""
    with pytest.raises(ParametersError, match="repeat: no such option; the options are page_size"):
        open_workload(f"{trace},repeat=3")


@pytest.mark.parametrize("spec", ["nothing", "zipff:size=1G", "no/such/file.cfg", "", "x" * 5000])
def test_neither_file_nor_generator(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is neither a file nor a generator is refused with the names of generators."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidError, match="generators are uniform, zipf, scan, stairs"):
        open_workload(spec)


def test_directory(tmp_path: Path) -> None:
    """A directory is no workload."""
    with pytest.raises(InputFileError, match="is a directory; expected a file"):
        open_workload(str(tmp_path))


def test_unknown_file(tmp_path: Path) -> None:
    """A file of no known form is refused with the forms there are."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x7fELF\0\0\0")
    with pytest.raises(InputFileError, match=r"none of the known forms.* masim, address, lackey"):
        open_workload(str(path))


def test_form_that_was_said(trace: Path) -> None:
    """A form that is said is believed, and the file refused if it does not hold it."""
    with pytest.raises(ParametersError, match=r"a\.trace, line 3: expected a paragraph of regions"):
        open_workload(f"masim:{trace}")


def test_missing_file_of_a_said_form(tmp_path: Path) -> None:
    """A missing file is named, whatever form was said."""
    for form in workload_forms():
        with pytest.raises(InputFileError, match="missing"):
            open_workload(f"{form}:{tmp_path / 'missing'}")


def test_forms() -> None:
    """The forms of files are masim's and those of traces."""
    assert workload_forms()[0] == MASIM
    assert {"address", "lackey", "block", "ids"} <= set(workload_forms())


@pytest.mark.parametrize("name", ["default", "stairs.cfg", "hint_test"])
def test_shipped_configs(shared: Path, name: str) -> None:
    """The configurations that come with masim are recognised, also without a suffix."""
    assert pattern(str(shared / "traces" / "masim" / name)).name == name
