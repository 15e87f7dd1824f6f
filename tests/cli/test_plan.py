"""What a recording will do, worked out before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from damon_async.cli.options import NO_PARAMETERS, ParameterOptions
from damon_async.cli.plan import load_kdamonds, looks_like_document, make_plan
from damon_async.errors import InputFileError, InvalidError, ParametersError
from damon_async.params.document import to_document
from damon_async.params.monitoring import Context, Kdamond, Ops, Target

ENDLESS = "uniform:size=16M"
SHORT = "uniform:size=16M,duration=2s"
LONG = "uniform:size=16M,duration=5s"


def test_lifetime_is_the_longest() -> None:
    """A recording goes on until the last workload is over."""
    assert make_plan([SHORT, LONG], None, NO_PARAMETERS, 0).lifetime_us == 5_000_000
    assert make_plan([SHORT, ENDLESS], None, NO_PARAMETERS, 0).lifetime_us is None


@pytest.mark.parametrize(
    ("spec", "timeout_us", "is_virtual", "expected"),
    [
        (SHORT, None, True, 2_000_000),
        (SHORT, 1_000_000, True, 1_000_000),
        (SHORT, 9_000_000, True, 9_000_000),
        (ENDLESS, 1_000_000, True, 1_000_000),
        (ENDLESS, None, False, None),
    ],
)
def test_duration(
    spec: str, timeout_us: int | None, is_virtual: bool, expected: int | None
) -> None:
    """The timeout wins; in real time somebody can stop what has no end."""
    plan = make_plan([spec], None, NO_PARAMETERS, 0)

    assert plan.duration_us(timeout_us, is_virtual=is_virtual) == expected


def test_endless_virtual_time_is_refused() -> None:
    """In virtual time nobody could stop it in time."""
    plan = make_plan([SHORT, ENDLESS], None, NO_PARAMETERS, 0)

    with pytest.raises(InvalidError, match="never ends: say how long to record"):
        plan.duration_us(None, is_virtual=True)


@pytest.mark.parametrize("timeout_us", [0, 99_999])
def test_too_short_is_refused(timeout_us: int) -> None:
    """What ends before the first aggregation does has nothing to record."""
    plan = make_plan([SHORT], None, NO_PARAMETERS, 0)

    with pytest.raises(InvalidError, match=r"ends before the first aggregation of 100 ms does"):
        plan.duration_us(timeout_us, is_virtual=True)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (NO_PARAMETERS, "vaddr, following the mappings; 5 ms / 100 ms / 1 s; 10 to 1,000 regions"),
        (
            ParameterOptions(ops="fvaddr", sample=1_000, maxr=50),
            "fvaddr, 4 ranges, 16.305 MiB; 1 ms / 100 ms; 10 to 50 regions",
        ),
        (
            ParameterOptions(monitoring_intervals_autotune=True),
            "vaddr, following the mappings; 5 ms / 100 ms / 1 s, tuned; 10 to 1,000 regions",
        ),
    ],
)
def test_description(options: ParameterOptions, text: str) -> None:
    """One line says what is monitored, and how."""
    assert make_plan([SHORT], None, options, 0).describe() == f"{SHORT}: {text}"


def test_refresh_goes_to_the_kdamond() -> None:
    """--refresh_stat is a parameter of the kdamond."""
    plan = make_plan([SHORT], None, ParameterOptions(refresh_stat=250), 0)

    assert plan.kdamonds[0].refresh_ms == 250


def test_seed_goes_to_the_workloads() -> None:
    """The seed decides what is random in a workload, and is written down."""
    plans = [make_plan(["noisy:size=16M,blocks=8"], None, NO_PARAMETERS, seed) for seed in (1, 2)]

    assert [plan.sources[0].seed for plan in plans] == [1, 2]
    assert plans[0].sources[0].spec == "noisy:size=16M,blocks=8"


def test_document_survives_the_way_to_a_file() -> None:
    """What is written beside a record can be given back as a document."""
    kdamond = Kdamond([Context(Ops.FVADDR, [Target(regions="4K-8K 1M-2M")], addr_unit=1)], 100)
    text = str(to_document([kdamond], raw=True)).replace("'", '"').replace("None", "null")

    assert load_kdamonds(text.replace("False", "false").replace("True", "true")) == (kdamond,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"kdamonds": []}', True),
        (" []", True),
        ("a.json", True),
        ("a.yaml", True),
        ("a.yml", True),
        ("a.cfg", False),
        ("zipf:size=1G", False),
        ("damon.data", False),
    ],
)
def test_documents_are_recognised(text: str, expected: bool) -> None:
    """A positional document is JSON text, or a file with the ending of one."""
    assert looks_like_document(text) is expected


def test_broken_documents(tmp_path: Path) -> None:
    """All mistakes of a document are told, with the file if there is one."""
    wrong = '{"kdamonds": [{"contexts": [{"ops": "xaddr", "targets": 3}]}]}'
    (tmp_path / "x.json").write_text(wrong)

    with pytest.raises(ParametersError, match=r"xaddr.*targets.*must be a list|targets.*xaddr"):
        load_kdamonds(wrong)
    with pytest.raises(InputFileError, match=r"x\.json: "):
        load_kdamonds(str(tmp_path / "x.json"))
