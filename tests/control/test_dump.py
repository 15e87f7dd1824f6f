"""Trees become documents, command lines of damo, scripts and lines."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from damon_async.control.admin import ADMIN
from damon_async.control.dump import kdamonds_of
from damon_async.control.load import Write, writes_of
from damon_async.control.parameter_files import values_of
from damon_async.control.profiles import Profile
from damon_async.control.script import to_script
from damon_async.control.start_line import start_words
from damon_async.control.tree import Tree
from damon_async.errors import InvalidError
from damon_async.params.document import load_document, to_document
from damon_async.params.filters import Filter
from damon_async.params.monitoring import Context, Kdamond, Target
from damon_async.params.patterns import AccessPattern
from damon_async.params.quotas import Goal, Quotas, Watermarks
from damon_async.params.schemes import Scheme

from .consoles import C, K, S, T, since
from .staged import FILTERS, PROMOTE, RECLAIM, kdamonds, staged, taken
from .stored import stored

# -- Documents ---------------------------------------------------------------


def _put(tree: Tree, **files: object) -> dict[str, str]:
    """Write files of the first scheme, and return all values."""
    for name, value in files.items():
        tree.write(f"{S}/{name.replace('__', '/')}", str(value))
    return taken(tree)


@pytest.mark.parametrize("profile", Profile)
def test_fresh_tree(profile: Profile) -> None:
    """What a release has no file for is at its default in a document."""
    console = stored(profile)
    console.put(f"{T}/regions/0", start=0, end=4096)
    (kdamond,) = kdamonds_of(taken(console.tree))
    (scheme,) = kdamond.contexts[0].schemes
    assert scheme.action == "stat"
    assert scheme.quotas == Quotas()
    assert kdamond.contexts[0].targets == (Target(0, "0-4096"),)


def test_empty_tree() -> None:
    """A tree without kdamonds is a document without kdamonds."""
    assert kdamonds_of(taken(Tree(ADMIN))) == ()


def test_filter_directories() -> None:
    """Filters of all three directories are one list, in the order they are asked."""
    tree = staged([RECLAIM])
    values = _put(
        tree,
        filters__nr_filters=1,
        ops_filters__nr_filters=1,
        core_filters__nr_filters=1,
        filters__0__type="young",
        core_filters__0__type="target",
        ops_filters__0__type="anon",
    )
    (kdamond,) = kdamonds_of(values)
    types = [str(each.filter_type) for each in kdamond.contexts[0].schemes[0].filters]
    assert types == ["target", "anon", "young"]


def test_newlines_of_paths() -> None:
    """The newline that echo leaves behind a path is no part of it."""
    tree = staged([RECLAIM])
    values = _put(tree, filters__0__type="memcg", filters__0__memcg_path="/a\n")
    (kdamond,) = kdamonds_of(values)
    assert kdamond.contexts[0].schemes[0].filters[0].memcg_path == "/a"
    assert "echo /a > " in to_script(values, ADMIN)


def test_goals_without_target() -> None:
    """A goal without a target value is passed over, as where schemes are built."""
    tree = staged([RECLAIM])
    (kdamond,) = kdamonds_of(_put(tree, quotas__goals__0__target_value=0))
    (goal,) = kdamond.contexts[0].schemes[0].quotas.goals
    assert goal.metric == "some_mem_psi_us"


def test_nodes_of_other_actions() -> None:
    """A node is said of migrations only, and -1 is none."""
    tree = staged([RECLAIM])
    (kdamond,) = kdamonds_of(_put(tree, target_nid=3))
    assert kdamond.contexts[0].schemes[0].target_nid is None
    with pytest.raises(InvalidError, match="target_nid: missing"):
        kdamonds_of(_put(tree, action="migrate_hot", target_nid=-1))


def test_nonsense_is_told() -> None:
    """What no document can say is refused, with all mistakes and another form."""
    tree = staged([RECLAIM])
    values = _put(tree, access_pattern__sz__min=2**64 - 1, access_pattern__sz__max=1)
    values[f"{C}/monitoring_attrs/nr_regions/min"] = "1"
    with pytest.raises(InvalidError, match=r"lines could: 2 problems: .*nr_regions\.min: 1 is"):
        kdamonds_of(values)


def test_hand_written_numbers() -> None:
    """Text where a number belongs is told with its path."""
    with pytest.raises(InvalidError, match="kdamonds/0/refresh_ms: 'often' is not a number"):
        kdamonds_of({"kdamonds/nr_kdamonds": "1", f"{K}/refresh_ms": "often"})


def test_too_many() -> None:
    """More directories than a tree can have are refused, not counted out."""
    with pytest.raises(InvalidError, match="kdamonds/nr_kdamonds: 9999999 are too many"):
        kdamonds_of({"kdamonds/nr_kdamonds": "9999999"})


def test_probes_are_not_dropped() -> None:
    """Probes, which no document can say, are refused with their path."""
    tree = staged([RECLAIM])
    tree.write(f"{C}/monitoring_attrs/probes/nr_probes", "1")
    with pytest.raises(InvalidError, match=r"contexts\[0\].probes: not supported yet"):
        kdamonds_of(taken(tree))


@settings(max_examples=40)
@given(st.data())
def test_any_values(data: st.DataObject) -> None:
    """Whatever files hold, there is a document, a command line or one clear refusal."""
    values = values_of([RECLAIM, PROMOTE])
    texts = st.sampled_from(["", "-1", "0", "1", "Y", "max", "memcg", "addr", "vaddr"]) | st.text()
    for path in data.draw(st.lists(st.sampled_from(sorted(values)), max_size=4)):
        values[path] = data.draw(
            texts | st.sampled_from(["3", "17", "4294967296", "18446744073709551615"])
        )
    with suppress(InvalidError):
        assert start_words(kdamonds_of(values))[:2] == ["damo", "start"]


def test_units_of_addresses() -> None:
    """Units belong to paddr, and make regions smaller; other sets do not look at them."""
    tree = staged([RECLAIM])
    tree.write(f"{C}/addr_unit", "8")
    (kdamond,) = kdamonds_of(taken(tree))
    assert (kdamond.contexts[0].addr_unit, kdamond.contexts[0].min_region_sz) == (8, 512)
    tree.write(f"{C}/operations", "vaddr")
    (kdamond,) = kdamonds_of(taken(tree))
    assert (kdamond.contexts[0].addr_unit, kdamond.contexts[0].min_region_sz) == (1, 4096)


# -- Scripts -----------------------------------------------------------------


def _parsed(script: str) -> list[Write]:
    """Read the writes of a script, as a shell would do them."""
    writes = []
    for line in script.splitlines():
        if not line.startswith(("echo", "printf")):
            continue
        words = shlex.split(line)
        assert words[-2] == ">"
        assert words[0] == "echo" or words[1] == r"%s\n"
        writes.append(Write(words[-1].removeprefix("$root/"), words[-3]))
    return writes


@settings(max_examples=15)
@given(kdamonds)
def test_scripts_write_all(drawn: list[Kdamond]) -> None:
    """The writes of a script make a fresh tree what the dumped one is."""
    tree = staged(drawn)
    copy = Tree(ADMIN, Profile.LATEST)
    for path, value in _parsed(to_script(taken(tree), ADMIN)):
        copy.write(path, f"{value}\n")
    assert kdamonds_of(taken(copy)) == kdamonds_of(taken(tree))


def test_scripts_run(tmp_path: Path) -> None:
    """Run by a shell, a script writes to the tree that it is told, blanks and all."""
    values = values_of([RECLAIM, PROMOTE])
    values[f"{S}/filters/0/memcg_path"] = "/it's a\\b $HOME"
    values[f"{S}/target_nid"] = "-5"
    writes = writes_of(values, ADMIN)
    root = tmp_path / "a tree"
    for write in writes:
        (root / write.path).parent.mkdir(parents=True, exist_ok=True)
    script = tmp_path / "script.sh"
    script.write_text(to_script(values, ADMIN))
    done = subprocess.run(["sh", script, root], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    assert {write.path: (root / write.path).read_text() for write in writes} == {
        path: f"{value}\n" for path, value in writes
    }


def test_scripts_stop(tmp_path: Path) -> None:
    """A script ends at the first write that is refused."""
    script = to_script(values_of([RECLAIM]), ADMIN, root=str(tmp_path / "no tree"))
    done = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode
    assert len(done.stderr.splitlines()) == 1


def test_scripts_that_start() -> None:
    """A script can end by starting all kdamonds, and then after everything else."""
    values = values_of([RECLAIM])
    assert "echo on" not in to_script(values, ADMIN)
    script = to_script(values, ADMIN, turns_on=True)
    assert script.index("echo on") > script.index("nr_regions/max")


# -- Command lines -----------------------------------------------------------


def _damo(folder: Path, words: list[str]) -> Any:
    """Return the document that real damo makes of options; it does not touch DAMON for that."""
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("damo", path=scripts)
    if found is None:
        pytest.skip("needs damo (extra 'test')")
    environment = os.environ | {"HOME": str(folder), "PATH": f"{scripts}:{os.environ['PATH']}"}
    command = [found, "args", "damon", *words, "--format", "json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    # Above the document it may tell about options that it had to think about.
    assert "{" in done.stdout, done.stdout + done.stderr
    return json.loads(done.stdout[done.stdout.index("{") :])


def _as_damo_has_it(values: dict[str, str]) -> dict[str, str]:
    """Leave out what damo takes, but prints of no scheme."""
    return {path: value for path, value in values.items() if "max_nr_snapshots" not in path}


MIXED = [
    RECLAIM,
    PROMOTE,
    Kdamond(
        [
            Context(
                "fvaddr",
                [Target(5, "4096-8192", obsolete=True)],
                pause=True,
                schemes=[
                    Scheme(
                        "cold",
                        AccessPattern((0, 4096), (1, 7), ("1 s", "2 s")),
                        quotas=Quotas(
                            goal_tuner="temporal", fail_charge_num=1, fail_charge_denom=9
                        ),
                        filters=[each],
                    )
                    for each in FILTERS
                ],
            )
        ],
        refresh_ms=7,
    ),
]


@pytest.mark.parametrize("wanted", [[RECLAIM], [PROMOTE], MIXED, MIXED[::-1]])
def test_damo_understands(tmp_path: Path, wanted: list[Kdamond]) -> None:
    """Of the options of a dump real damo makes a document that stages the same tree."""
    tree = staged(wanted)
    program, verb, *options = start_words(kdamonds_of(taken(tree)))
    assert (program, verb) == ("damo", "start")
    theirs = load_document(_damo(tmp_path, options))
    assert _as_damo_has_it(values_of(theirs)) == _as_damo_has_it(values_of(wanted))


def test_damo_reads_documents(tmp_path: Path) -> None:
    """Of the document of a dump real damo stages the same tree."""
    document = to_document(kdamonds_of(taken(staged(MIXED))), raw=True)
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document))
    theirs = load_document(_damo(tmp_path, ["--kdamonds", str(path)]))
    assert _as_damo_has_it(values_of(theirs)) == _as_damo_has_it(values_of(MIXED))


@given(st.integers(0, 20), st.integers(0, 1000))
def test_counts_are_said(samples: int, aggrs: int) -> None:
    """Samples and aggregations are said in percent and microseconds that mean the same."""
    texts = [f"{number} samples" for number in sorted([samples, 20])]
    pattern = AccessPattern(nr_accesses=texts, age=(f"{aggrs} aggr_intervals", "max"))
    wanted = Kdamond([Context("vaddr", [Target(1)], schemes=[Scheme("stat", pattern)])])
    words = start_words([wanted])
    at = words.index("--damos_access_rate")
    assert int(words[at + 1]) * 20 // 100 == samples
    assert int(words[words.index("--damos_age") + 1]) == aggrs * 100_000


@pytest.mark.parametrize(
    ("context", "why"),
    [
        (Context("vaddr"), "a context without a target is nothing to damo"),
        (Context("paddr", [Target()]), "damo monitors all memory"),
        (
            Context("vaddr", [Target(1)], schemes=[Scheme(filters=[Filter("anon")] * 2)]),
            "damo takes one filter of a scheme only",
        ),
        (
            Context(
                "vaddr",
                [Target(1)],
                schemes=[Scheme(access_pattern=AccessPattern(nr_accesses=(0.5, 1)))],
            ),
            "an access rate of 0.5 % is no whole percent",
        ),
        (
            Context(
                "vaddr",
                [Target(1)],
                {"sample_us": 10, "aggr_us": 10_000},
                schemes=[
                    Scheme(access_pattern=AccessPattern(nr_accesses=("1 samples", "9 samples")))
                ],
            ),
            "an access rate of 1 samples is no whole percent",
        ),
    ],
)
def test_what_damo_cannot_be_told(context: Context, why: str) -> None:
    """What no command line says is refused, with the form to take instead."""
    with pytest.raises(InvalidError, match=f"{why}.*; dump it as a document"):
        start_words([Kdamond([context])])


@pytest.mark.parametrize(
    "scheme",
    [
        Scheme(action=staged),
        Scheme(quotas=Quotas(goals=[Goal(staged, 1)])),
        Scheme(watermarks=Watermarks(staged)),
    ],
)
def test_functions_cannot_be_said(scheme: Scheme) -> None:
    """Functions of users cannot be said on a command line."""
    with pytest.raises(InvalidError, match="a function cannot be said to damo"):
        start_words([Kdamond([Context("vaddr", [Target(1)], schemes=[scheme])])])


def test_nothing_to_start() -> None:
    """Without a kdamond there is no line."""
    with pytest.raises(InvalidError, match="nothing to start"):
        start_words([])


@pytest.mark.parametrize("profile", since("6.18"))
def test_lines_name_little(profile: Profile) -> None:
    """Options that older kernels do not know are said only where they are needed."""
    simple = Kdamond([Context("vaddr", [Target(1)], schemes=[Scheme("stat")])])
    words = set(start_words(kdamonds_of(taken(staged([simple], profile)))))
    newer = {"--refresh_stat", "--damon_addr_unit", "--monitoring_intervals_goal"}
    newer |= {"--damos_quota_goal_tuner", "--damos_wmarks", "--damos_apply_interval"}
    assert not newer & words
