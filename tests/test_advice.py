"""Advice: runs made to show each rule get that advice and no other; others get none."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import scorebench
from scorebench.advice.record import Advice, Facts
from scorebench.advice.rules import RULES, advise
from scorebench.advice.sweep_rules import SWEEP_RULES, advise_sweep
from scorebench.cli import parser
from scorebench.errors import InputError
from scorebench.figures.summary import LeftOut, summarise
from scorebench.folders.sweeps import read_sweep
from scorebench.recordings.split import split_of
from scorebench.report import advice as report
from scorebench.report import sweep as sweep_report
from scorebench.sweeps.found import Ended, Ran, Sweep, SweepCell
from scorebench.sweeps.grid import Place
from scorebench.verdicts.finding import Finding, Severity
from tests.commands import here
from tests.recordings import START_S, calls, recording

CALLS = 1500
PARTS = {"read": 0.1, "queue": 0.1, "parse": 1.0, "schema": 1.0, "predict": 5.0, "write": 0.5}
"""Milliseconds of each call: the model takes most, and nothing stands out."""
SERVER = {"kind": "webserver", "workers": 1, "uvloop": True, "httptools": True, "cpus": [0, 1, 2, 3]}


def facts(
    parts: Mapping[str, float] | None = None,
    *,
    network_ms: float = 0.4,
    receive_ms: float = 0.0,
    cpu: float = 0.5,
    rss: Mapping[str, float] | None = None,
    growth: float = 0.0,
    warm_up_s: float | None = 0.02,
    pids: tuple[int, ...] = (1,),
    users: int = 1,
    findings: tuple[Finding, ...] = (),
    **server: Any,
) -> Facts:
    """A run of a call a second, each with these parts; the server's usage is the same in every second."""
    stages = {**PARTS, **(parts or {})}
    inside = sum(stages.values())
    length_s = (inside + network_ms + receive_ms) / 1e3
    times = [(float(n), float(n), n + length_s) for n in range(CALLS)]
    phases = [
        number for due, _, done in times for number in (0.0, 0.0, 0.0, due + 1e-9, done - receive_ms / 1e3)
    ]
    header = ", ".join([f"total;dur={inside}", *(f"{name};dur={ms}" for name, ms in stages.items())])
    headers = [f"{header}, worker;desc={pids[n % len(pids)]}".encode() for n in range(CALLS)]
    user = [n % users for n in range(CALLS)]
    batch = replace(calls(times, user=user), split=split_of(phases, headers, START_S))
    told = {**SERVER, **server}
    made = recording(batch, server=told, host_cores=4, command="scorebench run webserver --timings")
    for second in range(CALLS):
        at_s = START_S + second + 0.5
        size = int(3e8 + growth * second)
        made.resources.append({"t_s": at_s, "who": "server", "cpu": cpu, "rss_bytes": size})
        for who, share in (rss or {}).items():
            made.resources.append({"t_s": at_s, "who": who, "cpu": cpu / 2, "rss_bytes": int(share)})
    summary = replace(summarise(made), warm_up=LeftOut(5, 5, warm_up_s, warm_up_s))
    return Facts(summary, made, findings)


WORKERS = {f"server process {pid}": 2e8 for pid in (1, 2)}
LATE = Finding(Severity.INVALID, "generator_cpu", "the generator was out of CPU (CPU median 99 %)", "x")
SHOWN = {
    "generator_bound": facts({"schema": 9.0}, findings=(LATE,)),
    "schema_over_predict": facts({"schema": 9.0}),
    "threads_queue": facts({"queue": 30.0}),
    "tcp_delay": facts(receive_ms=42.0, workers=2, uvloop=False),
    "network": facts(network_ms=40.0),
    "more_workers": facts(cpu=0.97),
    "fewer_workers": facts(cpu=0.3, workers=2, rss=WORKERS),
    "uneven_workers": facts(workers=2, users=2, pids=(1, 1, 1, 2)),
    "blas_threads": facts(cpu=3.9),
    "http_packages": facts(network_ms=2.0, uvloop=False),
    "slow_first_calls": facts(warm_up_s=0.4),
    "memory_grows": facts(growth=1e6 / 60),
}


@pytest.mark.parametrize("rule", SHOWN)
def test_a_run_made_to_show_a_rule_gets_that_advice_and_no_other(rule: str) -> None:
    """With what was found, the rule's threshold and source, what to expect, and a command."""
    (found,) = advise(SHOWN[rule])
    (of,) = [one for one in RULES if one.name == rule]
    assert (found.rule, found.threshold, found.source) == (of.name, of.threshold, of.source)
    assert all((found.figure, found.change, found.gain, found.proof))
    assert found.proof.startswith("scorebench run webserver --timings")


def with_command(made: Facts, command: str) -> Facts:
    """The same run, by another command, with 7 rows in a call."""
    environment = {**made.summary.environment, "command": command, "payload": {"rows_per_call": 7}}
    return replace(made, summary=replace(made.summary, environment=environment))


@pytest.mark.parametrize("spelled", ["{} {}", "{}={}"])
@pytest.mark.parametrize("rule", SHOWN)
def test_a_proof_says_each_option_once(rule: str, spelled: str) -> None:
    """The run had every option that a proof may give; the proof has it in its place, and can be parsed."""
    said = {"--workers": "2", "--rows-per-call": "7", "--processes": "3", "--run-time": "9s", "--calls": "5"}
    options = " ".join(spelled.format(flag, value) for flag, value in said.items())
    (found,) = advise(with_command(SHOWN[rule], f"scorebench run webserver {options} --server-env A=1"))
    words = shlex.split(found.proof)[1:]
    flags = [word.partition("=")[0] for word in words if word.startswith("--")]
    assert [flag for flag in said if flags.count(flag) > 1] == []
    asked = parser().parse_args(words)
    expected = {
        "generator_bound": ("processes", 4),
        "network": ("rows_per_call", 70),
        "threads_queue": ("workers", 2),
        "more_workers": ("workers", 2),
        "fewer_workers": ("workers", 1),
        "uneven_workers": ("users", 16),
        "memory_grows": ("run_time", "30m"),
        "blas_threads": ("server_env", ["A=1", "OMP_NUM_THREADS=1"]),
    }
    if rule in expected:
        name, value = expected[rule]
        assert getattr(asked, name) == value
    assert asked.calls == (None if rule == "memory_grows" else 5)


@pytest.mark.parametrize(
    ("command", "proof"),
    [
        ("scorebench run webserver -t9s", "scorebench run webserver --run-time 30m"),
        ("scorebench run webserver -t 9s -u 5", "scorebench run webserver -u 5 --run-time 30m"),
        (
            "scorebench run webserver --run-time 9s --data FILE  # the 5 rows of a DataFrame",
            "scorebench run webserver --data FILE --run-time 30m  # the 5 rows of a DataFrame",
        ),
        (
            "scorebench run webserver --data 'my rows.csv'",
            "scorebench run webserver --data 'my rows.csv' --run-time 30m",
        ),
        ("locust -f o'clock.py -t 9s --pin …", "locust -f o'clock.py --pin … --run-time 30m"),
        ("scorebench run 'half", "scorebench run ''\"'\"'half' --run-time 30m"),
    ],
)
def test_a_proof_is_the_command_with_its_option_replaced(command: str, proof: str) -> None:
    """Short options, quotes, Python's comment, Locust's own command, and text that is not a command."""
    (found,) = advise(with_command(SHOWN["memory_grows"], command))
    assert found.proof == proof


def test_rows_that_a_run_has_no_choice_of_stay() -> None:
    """Bodies as they are."""
    (found,) = advise(with_command(SHOWN["network"], "scorebench run webserver --body x.json"))
    assert found.proof == "scorebench run webserver --body x.json"


def test_more_rows_are_sent_by_the_generator_to_any_server() -> None:
    """Nothing is to be done at a server of the user's own."""
    (found,) = advise(facts(network_ms=40.0, kind=None))
    assert found.proof == "scorebench run webserver --timings --rows-per-call 10"


def test_a_proof_from_a_sweep_replaces_its_lists_and_resumes_nothing() -> None:
    """Other values are another sweep, and --body-size would decide the rows."""
    options = "--users 1 --rows-per-call 1,5 --format=split --resume reports/x"
    for cells, flags in (
        ((cell("split", 1, [5, 5.1]), cell("split", 100, [14, 14])), "--format=split --rows-per-call 1,100"),
        ((cell("split", 9, [20, 22]), cell("csv", 9, [10, 9])), "--rows-per-call 1,5 --format split,csv"),
    ):
        made = replace(swept(*cells), environment={"command": f"scorebench sweep webserver {options}"})
        (found,) = advise_sweep(made)
        assert found.proof == f"scorebench sweep webserver --users 1 {flags}"
    sized = replace(
        swept(cell("split", 1, [5, 5.1]), cell("split", 100, [14, 14])),
        environment={"command": "scorebench sweep webserver --body-size 1kB,1MB"},
    )
    assert advise_sweep(sized)[0].proof == "scorebench sweep webserver --rows-per-call 1,100"


def test_every_rule_is_shown() -> None:
    """A rule that no run shows is not known to work; each names its threshold and its source."""
    assert [rule.name for rule in RULES] == list(SHOWN)
    assert all(rule.threshold and rule.source for rule in (*RULES, *SWEEP_RULES))


@pytest.mark.parametrize(
    "plain",
    [
        facts(),
        facts(cpu=0.89),  # below 90 %
        facts(cpu=0.97, cpus=[0]),  # busy, but no core is free
        facts(cpu=0.97, workers=None),  # not known how many there are
        facts(cpu=3.9, environment={"OMP_NUM_THREADS": "4"}),  # chosen by its owner
        facts(cpu=0.6, workers=2, rss=WORKERS),  # one would be busy 60 %
        facts(cpu=0.3, workers=2),  # which process has how much is not known
        facts(warm_up_s=None),
        facts(warm_up_s=0.07),  # less than 10 times the median of 8.1 ms
        facts(uvloop=False),  # HTTP takes 5 % of the call
        facts(receive_ms=4.0),  # an answer that takes a while, as large ones do
        facts({"schema": 4.9}),  # less than the model
        facts(growth=1000.0),  # 0.4 % in the whole run
        facts({"schema": 9.0}, findings=(Finding(Severity.INVALID, "no_calls", "nothing", "x"),)),
    ],
)
def test_what_supports_nothing_gets_no_advice(plain: Facts) -> None:
    """Nothing stands out, or it is not known, or the measurement is not valid."""
    assert advise(plain) == []


def test_stages_that_few_calls_told_support_nothing() -> None:
    """Half of the calls: the other half may look different."""
    known = SHOWN["schema_over_predict"]
    assert known.summary.stages is not None
    few = replace(known.summary, stages=replace(known.summary.stages, with_timings=CALLS // 2))
    assert advise(replace(known, summary=few)) == []


def test_answers_that_tcp_holds_back_are_told_from_slow_networks() -> None:
    """40 ms is a delayed acknowledgement, 100 ms are not. uvicorn's workers without uvloop get its name."""
    (workers,), (other,), (slow,) = (
        advise(SHOWN["tcp_delay"]),
        advise(facts(receive_ms=42.0)),
        advise(facts(receive_ms=100.0)),
    )
    assert "uvloop" in workers.change
    assert (other.rule, "uvloop" in other.change) == ("tcp_delay", False)
    assert slow.rule == "network"


def test_a_gain_is_what_the_figures_say() -> None:
    """9 ms of schema in a call of 16.1 ms: at most 9 ms, 55.9 %. A worker more of one: twice at most."""
    (schema,) = advise(SHOWN["schema_over_predict"])
    assert "at most 9" in schema.gain
    assert "56" in schema.gain or "55.9" in schema.gain
    (workers,) = advise(SHOWN["more_workers"])
    assert "97 %" in workers.figure
    assert workers.gain.startswith("up to 2 times")
    assert workers.proof.endswith("--workers 2")


def test_a_server_of_the_users_own_is_told_what_to_do_there() -> None:
    """scorebench can't start it with other workers."""
    (found,) = advise(facts(cpu=0.97, kind=None))
    assert found.proof == "--workers 2 there, then scorebench run webserver --timings"


def cell(format: str, rows: int, p50_ms: list[float]) -> SweepCell:
    runs = [
        Ran(f"cells/{n}", n, None, 100, 100, 10.0, 10.0 * rows, 0.1, ms / 1e3, None, 10)
        for n, ms in enumerate(p50_ms, 1)
    ]
    return SweepCell(Place("webserver", "sklearn", 1, format, rows, 1), tuple(runs))


def swept(*cells: SweepCell) -> Sweep:
    return Sweep(cells, Ended.DONE, 2, 9.0, "x", {"command": "scorebench sweep webserver"})


def test_a_sweep_in_which_rows_get_cheaper_says_batch() -> None:
    """5 ms or more for one row, 14 ms or less for a hundred: 5 / 0.14 = 35.7 times at least."""
    (found,) = advise_sweep(swept(cell("split", 1, [5, 5.1]), cell("split", 100, [14, 14])))
    assert (found.rule, found.gain) == ("batch", "at least 35.7 times less time a row")
    assert "costs 5 ms or more with 1 row a call and 0.14 ms or less with 100 (" in found.figure
    assert (found.threshold, found.source) == (SWEEP_RULES[0].threshold, SWEEP_RULES[0].source)
    assert advise_sweep(swept(cell("split", 1, [5, 5]), cell("split", 10, [40, 40]))) == []


def test_batch_believes_no_single_run() -> None:
    """Ten rows in 40 ms, or in 9 ms by chance; and of two formats the one that gains less is named."""
    assert advise_sweep(swept(cell("split", 1, [5, 5]), cell("split", 10, [9, 40]))) == []
    split = cell("split", 1, [5, 5]), cell("split", 10, [10, 10])  # 5 times
    slow = cell("csv", 1, [500, 500]), cell("csv", 10, [10, 10])  # 500 times
    batch = [one for one in advise_sweep(swept(*split, *slow)) if one.rule == "batch"]
    assert [one.gain for one in batch] == ["at least 5 times less time a row"]


def test_a_faster_format_is_named_where_no_run_says_otherwise() -> None:
    """20 ms against 10 ms; not where one run of it was as slow, nor from a single run each."""
    slow = cell("split", 100, [20, 22])
    (found,) = advise_sweep(swept(slow, cell("csv", 100, [10, 9])))
    assert (found.rule, found.change) == ("format", "send csv")
    assert found.gain.startswith("at least 2 times")
    assert advise_sweep(swept(slow, cell("csv", 100, [10, 21]))) == []
    assert advise_sweep(swept(slow, cell("csv", 100, [10]))) == []


def test_a_sweep_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    """And a damaged one is refused in one line."""
    made = swept(cell("split", 1, [5, 5]), cell("csv", 1, []))
    (tmp_path / "sweep.json").write_text(sweep_report.render_json(made))
    assert read_sweep(tmp_path) == replace(made, folder=str(tmp_path))
    done = here(tmp_path, "advise", str(tmp_path))
    assert (done.code, done.out) == (0, report.NOTHING + "\n")
    (tmp_path / "sweep.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match=r"sweep\.json: is damaged"):
        read_sweep(tmp_path)


def test_python_and_report_read_a_sweep(tmp_path: Path) -> None:
    """`scorebench.advise` says what `advise` prints; `report` prints what the sweep left, in each form."""
    made = swept(cell("split", 1, [5, 5.1]), cell("split", 100, [14, 14]))
    (tmp_path / "sweep.json").write_text(sweep_report.render_json(made))
    read = replace(made, folder=str(tmp_path))
    found = scorebench.advise(read)
    assert [one.rule for one in found.advice] == ["batch"]
    assert str(found) + "\n" == here(tmp_path, "advise", str(tmp_path)).out
    assert scorebench.advise(str(tmp_path)) == found
    forms = {
        "text": sweep_report.render(read),
        "json": sweep_report.render_json(read),
        "csv": sweep_report.render_csv(read),
    }
    for form, text in forms.items():
        done = here(tmp_path, "report", str(tmp_path), "--format", form)
        assert (done.code, done.out) == (0, text)
    assert "<svg" in here(tmp_path, "report", str(tmp_path), "--format", "html").out
    refused = here(tmp_path, "report", str(tmp_path), "--format", "junit")
    assert refused.code == 2
    assert "not available for a sweep" in refused.err


def test_text_and_json_say_the_same() -> None:
    """And why there is none, where the measurement is not valid."""
    one = Advice("batch", "a", "b", "c", "d", "e", "f")
    told = "batch: a\n  rule:   e (source: f)\n  change: b\n  expect: c\n  prove:  d\n"
    assert report.render([one]) == told
    assert json.loads(report.render_json([one]))["advice"][0]["gain"] == "c"
    assert report.render([], "late") == "No advice: the measurement is not valid: late.\n"


def test_one_user_has_one_worker_and_that_is_no_advice() -> None:
    """Nor are 74 of 100 calls to one of two workers, nor what a server does that tells no workers."""
    alone = facts(workers=2, pids=(1,))
    nearly = facts(workers=2, users=2, pids=(1,) * 37 + (2,) * 13)
    assert [advise(one) for one in (alone, nearly, facts(users=2, pids=(1,)))] == [[], [], []]


@pytest.mark.parametrize(("name", "below"), [("soak.json", "parts/"), ("capacity.json", "steps/")])
def test_what_holds_many_runs_says_which_to_give(tmp_path: Path, name: str, below: str) -> None:
    """One line, exit 2, with the place of its runs."""
    (tmp_path / name).write_text("{}")
    done = here(tmp_path, "advise", str(tmp_path))
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert done.err.rstrip().endswith(f"below {below}")
