"""What changed between sets of runs: checked by simulation, where the truth is known."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from scipy.stats import binom, mannwhitneyu

import scorebench
from scorebench.comparison.compare import (
    Change,
    RunSet,
    compare,
    difference,
    middle,
    p_value,
    runs_needed,
)
from scorebench.comparison.conditions import mismatches
from scorebench.errors import InputError
from scorebench.figures.summary import summarise
from scorebench.folders import folder
from scorebench.folders.run_sets import sets_of
from scorebench.recordings.recording import Recording
from scorebench.report import compare as report
from scorebench.report import compare_page
from scorebench.report.compare_charts import compare_charts
from scorebench.verdicts.limits import parse_threshold
from scorebench.verdicts.verdict import judge
from tests.commands import Done, here
from tests.commands import scorebench as scorebench_command
from tests.recordings import calls, evenly, recording
from tests.schemas import validator

TRIALS = 1000
NOISE = 0.05
"""Run to run, as a share of the figure: what repeated runs of one server on a quiet machine show."""


def a_set(name: str, values: Any, metric: str = "p99") -> RunSet:
    """Runs of which one figure is known."""
    runs = [
        SimpleNamespace(figure=lambda asked, v=v: v if asked == metric else None, estimate=lambda _: None)
        for v in values
    ]
    return RunSet(name, cast(Any, tuple(runs)))


def changes(true_ratio: float) -> list[Change]:
    """What is said of 1,000 pairs of sets of 10 runs each, the second `true_ratio` times the first."""
    draw = np.random.default_rng(7)
    found = []
    for _ in range(TRIALS):
        old, new = (
            draw.lognormal(math.log(0.05), NOISE, 10),
            draw.lognormal(math.log(0.05 * true_ratio), NOISE, 10),
        )
        found.append(difference("p99", a_set("old", old.tolist()), a_set("new", new.tolist())).change)
    return found


def test_no_difference_is_seldom_called_one() -> None:
    """At no true difference a change is shown in at most 5 % of the trials."""
    assert sum(change is not Change.NOT_SHOWN for change in changes(1.0)) <= 0.05 * TRIALS


def test_a_true_tenth_is_found() -> None:
    """10 % slower, 10 runs each: shown as worse in at least 80 % of the trials."""
    assert changes(1.1).count(Change.WORSE) >= 0.8 * TRIALS


def test_four_runs_each_are_the_fewest() -> None:
    """The least p of 3 and 3 is 2/20 = 0.1; of 4 and 4 it is 2/70 = 0.029."""
    assert runs_needed() == 4
    assert p_value([1, 2, 3], [4, 5, 6]) is None
    assert p_value([1, 2, 3, 4], [5, 6, 7, 8]) == pytest.approx(2 / 70)
    assert p_value([1] * 5, [1] * 5) == 1.0


@pytest.mark.parametrize(
    ("before", "after"),
    [([1.0] * 8, [1.0] * 4 + [0.9] * 4), ([1.0, 1.0, 2.0, 3.0, 1.0], [2.0, 2.0, 3.0, 3.0, 4.0, 2.0])],
)
def test_equal_values_do_not_make_a_difference_real_too_soon(before: list[float], after: list[float]) -> None:
    """p by going through every way to deal the values out: scipy's approximation is too low for few runs."""
    every = [*before, *after]

    def u(chosen: tuple[int, ...]) -> float:
        left = [every[i] for i in chosen]
        right = [every[i] for i in range(len(every)) if i not in chosen]
        return sum((a > b) + 0.5 * (a == b) for a in left for b in right)

    found = [u(chosen) for chosen in combinations(range(len(every)), len(before))]
    seen = u(tuple(range(len(before))))
    tails = (sum(one >= seen for one in found), sum(one <= seen for one in found))
    assert p_value(before, after) == pytest.approx(min(1, 2 * min(tails) / len(found)))
    assert p_value(before, after) != pytest.approx(float(mannwhitneyu(before, after).pvalue), rel=0.1)


@pytest.mark.parametrize("runs", [4, 6, 12])
def test_shares_that_are_mostly_whole_do_not_cry_wolf(runs: int) -> None:
    """Valid shares tie: a difference is called by chance at most 1 time in 20, counted exactly: every
    number of runs at 100 % in either set, by how likely it is."""
    often = binom.pmf(np.arange(runs + 1), runs, 0.5)

    def called(old: int, new: int) -> bool:
        p = p_value([1.0] * old + [0.99] * (runs - old), [1.0] * new + [0.99] * (runs - new))
        return p is not None and p < 0.05

    counts = range(runs + 1)
    wolf = sum(often[old] * often[new] for old in counts for new in counts if called(old, new))
    assert 0 < wolf <= 0.05


@pytest.mark.parametrize("count", [6, 9, 10, 25])
def test_bounds_of_a_median_are_at_least_95_percent_sure(count: int) -> None:
    """P(r-th ≤ median ≤ (n+1-r)-th) from scipy's binomial; one rank further in would be less sure."""
    found = middle(list(range(1, count + 1)))
    assert found is not None
    assert found.low is not None
    rank = int(found.low)
    assert 1 - 2 * binom.cdf(rank - 1, count, 0.5) >= 0.95
    assert 1 - 2 * binom.cdf(rank, count, 0.5) < 0.95


def test_below_six_runs_a_median_has_no_bounds() -> None:
    """Even the extremes of five hold it in 94 % only."""
    found = middle([1, 2, 3, 4, 5])
    assert found is not None
    assert (found.value, found.low) == (3, None)


def test_the_good_direction_is_each_metrics_own() -> None:
    """More throughput is better, more time is worse."""
    low, high = [1.0, 1.01, 1.02, 1.03], [2.0, 2.01, 2.02, 2.03]
    for metric, change in (("throughput", Change.BETTER), ("p50", Change.WORSE)):
        assert difference(metric, a_set("a", low, metric), a_set("b", high, metric)).change is change


def test_a_gate_needs_both_parts_and_a_real_difference() -> None:
    """+10 % and +2 ms: 3 ms more of 20 ms fails; 1 ms more of 5 ms is kept; noise may hide either."""
    threshold = [parse_threshold("p99 +10% and +2ms")]

    def failed(before: list[float], after: list[float]) -> bool | None:
        return compare(a_set("a", before), a_set("b", after), threshold).gates[0].failed

    near = [0.0001 * n for n in range(4)]
    assert failed([0.020 + n for n in near], [0.023 + n for n in near]) is True
    assert failed([0.005 + n for n in near], [0.006 + n for n in near]) is False
    assert failed([0.020, 0.030, 0.021, 0.029], [0.033, 0.019, 0.032, 0.022]) is None
    assert failed([0.020], [0.040]) is None


def test_runs_of_different_loads_are_no_comparison() -> None:
    """Payload, rows a call, arrivals, rate, users and host: each difference is named."""
    runs = [
        summarise(recording(calls(evenly(5)), users=n, arrivals=a)) for n, a in ((5, None), (6, "poisson"))
    ]
    assert mismatches(runs) == ["arrivals: closed loop and poisson", "users: 5 and 6"]
    assert mismatches(runs[:1] * 3) == []
    odd = [summarise(recording(calls(evenly(5)), users=u, payload="x")) for u in ([1], {"a": 2})]
    assert mismatches(odd) == ["users: [1] and {'a': 2}"], "a file may hold anything"


def test_a_gate_seldom_fails_without_a_difference() -> None:
    """A gate on p99 of any size, 10 runs each of the same: at most 2.5 % of 1,000 trials, worse being one
    side of two; so two gates stay below 5 %."""
    draw = np.random.default_rng(11)
    threshold = [parse_threshold("p99 +0.01%")]
    failed = 0
    for old, new in draw.lognormal(math.log(0.05), NOISE, (TRIALS, 2, 10)).tolist():
        failed += compare(a_set("a", old), a_set("b", new), threshold).gates[0].failed is True
    assert 0 < failed <= 0.025 * TRIALS + 5  # 5: one standard deviation of that count


@pytest.mark.parametrize("true_ratio", [1.1001, 1.3])
def test_a_gate_is_seldom_kept_though_it_got_worse(true_ratio: float) -> None:
    """Worse by more than the threshold, 10 runs each: kept in at most 2.5 % of 1,000 trials."""
    draw = np.random.default_rng(12)
    threshold = [parse_threshold("p99 +10%")]
    kept = 0
    for old, new in draw.lognormal(math.log(0.05), NOISE, (TRIALS, 2, 10)).tolist():
        worse = [value * true_ratio for value in new]
        kept += compare(a_set("a", old), a_set("b", worse), threshold).gates[0].failed is False
    assert kept <= 0.025 * TRIALS


def test_a_large_change_that_may_be_chance_is_undecided() -> None:
    """+26 % with p = 0.11 was called kept: four runs each; one order in nine is as far apart by chance."""
    before, after = [0.100, 0.110, 0.120, 0.130], [0.115, 0.139, 0.150, 0.161]
    (gate,) = compare(a_set("a", before), a_set("b", after), [parse_threshold("p99 +10%")]).gates
    assert gate.difference.ratio == pytest.approx(0.2565, abs=1e-3)
    assert gate.difference.p == pytest.approx(8 / 70, abs=1e-3)
    assert gate.failed is None
    assert gate.high is not None
    assert gate.high > 0.1


def test_one_run_each_shows_its_own_bounds_alone() -> None:
    """Nothing is said across runs; what stands in brackets is the run's own, from its summary."""
    of = summarise(recording(calls(evenly(1000, service_s=[0.01 + n * 7 % 10 / 1000 for n in range(1000)]))))
    one = compare(RunSet("a", (of,)), RunSet("b", (of,)))
    (p50,) = (d for d in one.differences if d.metric == "p50")
    bounds = of.estimate("p50")
    assert bounds is not None
    assert p50.before is not None
    assert p50.before.within == (bounds.low, bounds.high)
    assert p50.change is Change.TOO_FEW
    shown = report.render([one])
    assert "1 and 1 runs are too few to show a difference" in shown
    assert "You need at least 4 of each" in shown
    assert "other runs may differ more" in shown
    assert "left out, too few calls a run: p99.9 needs 6,636" in shown


# The command.


def left(path: Path, service_s: float, **told: Any) -> None:
    """A run's folder, every call of `service_s`."""
    path.mkdir(parents=True)
    known: dict[str, Any] = {
        "users": 1,
        "host": "here",
        "payload": {"digest": "d", "rows_per_call": 1},
        **told,
    }
    of: Recording = recording(calls(evenly(1000, service_s=service_s)), **known)
    summary = summarise(of)
    folder.write(path, of, summary, judge(summary, of))


def two_sets(path: Path, factor: float = 2.0) -> None:
    for n in range(5):
        left(path / "reports" / f"before-{n}", 0.010 + n * 1e-4)
        left(path / "reports" / f"after-{n}", (0.010 + n * 1e-4) * factor)


def compared(path: Path, *words: str, run: Callable[..., Done] = here) -> Done:
    """`scorebench compare` with the folders as a shell hands them over: before*, then after*."""
    found = [
        sorted(str(p.relative_to(path)) for p in (path / "reports").glob(f"{n}*"))
        for n in ("before", "after")
    ]
    return run(path, "compare", *found[0], *found[1], *words)


def test_what_a_shell_expands_becomes_two_sets(tmp_path: Path) -> None:
    """`reports/before* reports/after*`: five runs each, p99 doubled, exit 0 without a threshold."""
    two_sets(tmp_path)
    done = compared(tmp_path, run=scorebench_command)
    assert done.code == 0, done.err
    assert "before (5 runs) → after (5 runs)" in done.out
    (line,) = (line for line in done.out.splitlines() if line.split()[:1] == ["p99"])
    assert "worse" in line
    assert "+9" in line or "+10" in line  # a bucket of the histogram is up to 0.1 % wide


@pytest.mark.parametrize(
    ("factor", "words", "code"),
    [
        (2.0, ["--fail-if", "p99 +10% and +2ms"], 3),
        (1.0, ["--fail-if", "p99 +10% and +2ms"], 0),
        (2.0, ["--fail-if", "p99 +10% and +50ms"], 0),
    ],
)
def test_a_regression_is_exit_3(tmp_path: Path, factor: float, words: list[str], code: int) -> None:
    """Real, and beyond both parts; else 0."""
    two_sets(tmp_path, factor)
    assert compared(tmp_path, *words).code == code


def test_too_few_runs_to_say_is_exit_4(tmp_path: Path) -> None:
    """One run each: neither kept nor failed."""
    left(tmp_path / "reports" / "before", 0.01)
    left(tmp_path / "reports" / "after", 0.02)
    done = compared(tmp_path, "--fail-if", "p99 +10%")
    assert done.code == 4
    assert "undecided" in done.out
    assert "--repeat" in done.out


def test_json_keeps_to_its_schema_and_html_loads_nothing(tmp_path: Path) -> None:
    """Every format of the same comparison."""
    two_sets(tmp_path)
    data = json.loads(compared(tmp_path, "--format", "json").out)
    validator("comparison").validate(data)
    (p99,) = (m for m in data["comparisons"][0]["metrics"] if m["metric"] == "p99")
    assert p99["change"] == "worse"
    assert p99["p"] == pytest.approx(2 / 252, rel=0.01)  # C(10, 5) = 252
    done = compared(tmp_path, "--format", "html", "--output", "out.html")
    page = (tmp_path / "out.html").read_text()
    assert (done.code, done.out) == (0, "")
    assert "default-src 'none'" in page or "default-src &#39;none&#39;" in page
    assert page.count("series-1") >= 2, "two curves and their keys"
    assert "| p99 |" in compared(tmp_path, "--format", "markdown").out


def test_a_time_that_is_both_service_and_response_is_told_once() -> None:
    """In a closed loop; where calls waited both are told. A p too small for three digits is no zero."""

    def said(lag_s: float) -> str:
        times_s = ([0.01 + n * 1e-4 for n in range(8)], [0.02 + n * 1e-4 for n in range(8)])
        before, after = (
            tuple(summarise(recording(calls(evenly(700, service_s=s, lag_s=lag_s)))) for s in each)
            for each in times_s
        )
        compared = compare(
            RunSet("before", before), RunSet("after", after), [parse_threshold("service_p50 +10%")]
        )
        return report.render([compared])

    closed = said(lag_s=0.0)
    assert "service_p50  " not in closed
    assert "worse: throughput -0.1 %, rows -0.1 %, mean +" in closed
    assert "service_p50 went from" in closed
    assert "p < 0.001" in closed
    assert "0.000" not in closed
    assert "service_p50  " in said(lag_s=0.005)


def test_other_loads_are_refused_unless_asked_for(tmp_path: Path) -> None:
    """Five users and six: exit 2 names them; --anyway compares with a warning."""
    left(tmp_path / "reports" / "before", 0.01)
    left(tmp_path / "reports" / "after", 0.01, users=6)
    done = compared(tmp_path)
    assert done.code == 2
    assert "users: 1 and 6" in done.err
    assert "warning: the runs differ in users: 1 and 6" in compared(tmp_path, "--anyway").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["reports/before"], "needs two or more"),
        (["reports/before", "nowhere"], "nowhere: no run here"),
        (["reports/before", "reports/after", "--format", "pdf"], "--format pdf: not known"),
        (["reports/before", "reports/after", "--fail-if", "p99 worse"], "--fail-if p99 worse"),
        (["reports/before", "reports/after", "--output", "none/x"], "--output none/x"),
    ],
)
def test_wrong_input_is_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    """Exit 2, what and where."""
    left(tmp_path / "reports" / "before", 0.01)
    left(tmp_path / "reports" / "after", 0.01)
    done = here(tmp_path, "compare", *words)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert said in done.err


def test_sets_by_folder_by_stem_and_by_name(tmp_path: Path) -> None:
    """A folder of runs; names that differ in a number at the end; NAME=DIR,DIR."""
    for name in ("old/run-1", "old/run-2", "new-1", "new-2", "2026-01-02T030405-web"):
        left(tmp_path / name, 0.01)
    found = sets_of([str(tmp_path / name) for name in ("old", "new-1", "new-2", "2026-01-02T030405-web")])
    assert [len(paths) for paths in found.values()] == [2, 2, 1]
    assert list(found)[1:] == ["new", "web"]
    named = sets_of([f"a={tmp_path / 'new-1'},{tmp_path / 'old'}", f"b={tmp_path / 'new-2'}"])
    assert {name: len(paths) for name, paths in named.items()} == {"a": 3, "b": 1}
    with pytest.raises(InputError, match="NAME=DIR,DIR"):
        sets_of([str(tmp_path / "new-1"), str(tmp_path / "new-2")])


def test_runs_of_one_name_in_two_folders_are_two_sets(tmp_path: Path) -> None:
    """`old/* new/*`: the folder tells them apart; a run named twice counts once, in two sets never."""
    for name in ("old/run-1", "old/run-2", "new/run-1", "a=b"):
        left(tmp_path / name, 0.01)
    (tmp_path / "old" / "latest").symlink_to("run-2")
    words = [str(tmp_path / name) for name in ("old/latest", "old/run-1", "old/run-2", "new/run-1")]
    found = sets_of(words)
    assert list(found) == ["old", "new"]
    assert [len(runs) for runs in found.values()] == [2, 1]
    assert "a=b" in sets_of([words[3], str(tmp_path / "a=b")]), "a folder that is there is no list"
    with pytest.raises(InputError, match="in two sets, a and b"):
        sets_of([f"a={words[0]}", f"b={words[2]}"])
    with pytest.raises(InputError, match="a folder between the commas"):
        sets_of([f"a={words[0]},", f"b={words[3]}"])


def test_the_link_to_the_latest_run_is_in_the_set_of_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`compare before/* after/*`, typed in the folder that holds both, as a shell hands it over."""
    first, second = "2026-01-02T030405-127.0.0.1", "2026-01-02T030505-127.0.0.1"
    for name in (f"before/{first}", f"before/{second}", f"after/{first}"):
        left(tmp_path / name, 0.01)
    (tmp_path / "before" / "latest").symlink_to(second)
    (tmp_path / "after" / "latest").symlink_to(first)
    monkeypatch.chdir(tmp_path)
    found = sets_of([str(path) for name in ("before", "after") for path in sorted(Path(name).iterdir())])
    assert {name: len(runs) for name, runs in found.items()} == {"before": 2, "after": 1}


def test_the_link_to_the_latest_repeats_is_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `run --repeat 2 --report-dir before` leaves it; the set's name is without the moment it began."""
    for name, moment in (("before", "2026-01-02T030405"), ("after", "2026-01-02T030505")):
        for number in (1, 2):
            left(tmp_path / name / f"{moment}-127.0.0.1-2-runs" / f"run-{number}", 0.01)
        (tmp_path / name / "latest").symlink_to(f"{moment}-127.0.0.1-2-runs")
    monkeypatch.chdir(tmp_path)
    found = sets_of([str(path) for name in ("before", "after") for path in sorted(Path(name).iterdir())])
    assert {name: len(runs) for name, runs in found.items()} == {
        "before/127.0.0.1-2-runs": 2,
        "after/127.0.0.1-2-runs": 2,
    }


def test_repeats_that_began_at_two_moments_are_told_apart_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one folder, of one server: without the moment both would have one name."""
    names = [f"reports/2026-01-02T03040{second}-127.0.0.1-2-runs" for second in (1, 2)]
    for name in names:
        left(tmp_path / name / "run-1", 0.01)
    monkeypatch.chdir(tmp_path)
    assert list(sets_of(names)) == names


def test_two_servers_whose_addresses_end_differently_are_two_sets(tmp_path: Path) -> None:
    """The folder's name ends with the server's; a second run in the same second has a number behind it."""
    names = ("2026-01-02T030405-10.0.0.1", "2026-01-02T030405-10.0.0.1-2", "2026-01-02T030405-10.0.0.2")
    for name in names:
        left(tmp_path / name, 0.01)
    found = sets_of([str(tmp_path / name) for name in names])
    assert {name: len(runs) for name, runs in found.items()} == {"10.0.0.1": 2, "10.0.0.2": 1}


def test_a_run_that_was_not_valid_is_told(tmp_path: Path) -> None:
    """Too few calls to be valid: compared, with a warning that names the folder."""
    left(tmp_path / "reports" / "before", 0.01)
    of = recording(calls(evenly(1000)), users=1, host="here", payload={"digest": "d", "rows_per_call": 1})
    of.due = 5000  # calls that nobody can account for
    summary = summarise(of)
    (tmp_path / "reports" / "after").mkdir()
    folder.write(tmp_path / "reports" / "after", of, summary, judge(summary, of))
    done = compared(tmp_path)
    assert done.code == 0, done.err
    assert "warning: reports/after: the measurement is not valid" in done.out
    assert "reports/before: the measurement" not in done.out


def test_a_recording_of_another_format_is_refused(tmp_path: Path) -> None:
    """Exit 2, the version that is needed in one line."""
    for name in ("before", "after"):
        left(tmp_path / "reports" / name, 0.01)
    file = tmp_path / "reports" / "after" / "recording.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 9}))
    done = compared(tmp_path)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert "recording of format 9" in done.err


def test_names_of_sets_are_escaped_in_the_page() -> None:
    """A folder may be called anything."""
    of = summarise(recording(calls(evenly(1000))))
    shown = compare_page.render([compare(RunSet("<script>", (of,)), RunSet("b", (of,)))])
    assert shown.count("<script>") == 1
    assert report.render([compare(RunSet("a\x1b[31m", (of,)), RunSet("b", (of,)))]).count("\x1b") == 0


def test_the_page_says_when_and_where_and_draws_a_dot_a_run() -> None:
    """Two sets of three runs: a header each, and six dots with the runs' names in each chart."""
    facts = {"url": "http://127.0.0.1:5001", "started_s": 1_700_000_000.0, "model": "models:/wine/3"}
    of = summarise(recording(calls(evenly(1000)), **facts))
    shown = compare_page.render([compare(RunSet("before", (of,) * 3), RunSet("after", (of,) * 3))])
    assert "before: 3 runs, measured on 2023-11-14" in shown
    assert "http://127.0.0.1:5001; --model says that models:/wine/3 answers there" in shown
    charts = re.findall(r'<path class="dot series-0" d="([^"]*)"', shown)
    assert [path.count("h.01") for path in charts if path != "M12 4h.01"] == [6, 6, 6]
    assert "after, run 3" in shown


# From Python.


def test_python_compares_as_the_command_does(tmp_path: Path) -> None:
    """p99 doubled: the same text and the same exit code, from folders, a folder of runs, or results."""
    two_sets(tmp_path)
    reports = tmp_path / "reports"
    before, after = ([reports / f"{name}-{n}" for n in range(5)] for name in ("before", "after"))
    found = scorebench.compare(before, [scorebench.read(one) for one in after], fail_if="p99 +10%")
    assert (found.exit_code, found.good) == (3, False)
    assert str(found) == compared(tmp_path, "--fail-if", "p99 +10%").out.rstrip()
    row = found.to_frame().loc["p99"]
    assert row["after"] / row["before"] == pytest.approx(2.0, rel=0.01)
    assert row["change"] == "worse"
    assert scorebench.compare(before, after).good


def test_python_refuses_what_the_command_refuses(tmp_path: Path) -> None:
    """A run in both sets; no run at all; a folder without one."""
    two_sets(tmp_path)
    run = tmp_path / "reports" / "before-1"
    for sets, said in (((run, [run]), "is in both sets"), ((run, []), "after: no run given")):
        with pytest.raises(InputError, match=said):
            scorebench.compare(*sets)
    with pytest.raises(InputError, match="no run here"):
        scorebench.compare(run, tmp_path / "nothing")


def test_folders_of_repeated_runs_are_sets_as_the_readme_has_it(tmp_path: Path) -> None:
    """`compare reports/before* reports/after*`, after `run --repeat 5 --report-dir reports/before` and a run.

    The link `latest` beside the runs adds none; steps of a capacity search are no set.
    """
    for name in ("before", "after"):
        for number in range(1, 6):
            left(tmp_path / "reports" / name / "2026-01-01T120000-here-5-runs" / f"run-{number}", 0.010)
        left(tmp_path / "reports" / name / "2026-01-02T120000-here", 0.010)
        (tmp_path / "reports" / name / "latest").symlink_to("2026-01-01T120000-here-5-runs")
    assert "reports/before (6 runs) → reports/after (6 runs)" in compared(tmp_path).out
    left(tmp_path / "search" / "steps" / "0", 0.010)
    (tmp_path / "search" / "capacity.json").write_text("{}")
    refused = here(tmp_path, "compare", "search", "reports/after")
    assert (refused.code, refused.err.count("\n")) == (2, 1)


def test_names_under_a_chart_fit_beside_one_another_and_are_told_apart() -> None:
    """What all share is left out; 40 letters for two names are 20 each, the middle of a longer one is cut."""
    sets = [RunSet(f"{name}/10.0.0.1-3-runs", (summarise(recording(calls(evenly(20)))),)) for name in "ab"]
    long = [replace(one, name=f"{one.name[0]}{'x' * 30}{n}") for n, one in enumerate(sets)]
    for given, labels in ((sets, ["a", "b"]), (long, ["axxxxxxxxx…xxxxxxxx0", "bxxxxxxxxx…xxxxxxxx1"])):
        drawn = compare_charts(given)[0].drawn
        assert re.findall(r'text-anchor="middle"[^>]*>([^<]*)<', drawn) == labels
