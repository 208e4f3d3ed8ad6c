"""The bench compares what generators say, checks it with the server's count, and says what it doubts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench import generators
from bench.generator import Figures, Generator, Task, version
from bench.peers import GENERATORS, parse_vegeta, read_hey, read_k6, read_locust, read_oha, read_wrk
from bench.processes import Ended, Failed
from bench.stub import stub
from bench.tables import Run, as_markdown, as_text, cells, lines

from tests.requirements import program, require

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pins processes to cores, as Linux does")
ROOT = Path(__file__).resolve().parents[1]


def ended(stdout: str) -> Ended:
    return Ended(stdout, "", 1.0, 1.0, 0)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task("http://127.0.0.1:1", 4, 1, tmp_path)


def a_run(name: str, number: int, rate_per_s: float, p50_s: float | None = None) -> Run:
    figures = Figures(100, rate_per_s, 0, p50_s, None)
    return Run(name, number, figures, 4, 100, 1.0, 0.5, 0.0)


HEY = """
Summary:
  Total:	1.0006 secs
  Requests/sec:	41344.9850

Latency distribution:
  50% in 0.0004 secs
  99% in 0.0011 secs

Status code distribution:
  [200]	41360 responses
  [502]	8 responses

Error distribution:
  [3]	Post "http://127.0.0.1:1/invocations": EOF
"""


def test_hey_is_read(task: Task) -> None:
    """Calls are answers and errors; whatever is not a 200 has failed."""
    assert read_hey(ended(HEY), task) == Figures(41371, 41344.985, 11, 0.0004, 0.0011)


def test_wrk_is_read(task: Task) -> None:
    """Its script's JSON line: 1,000 calls in half a second are 2,000 a second."""
    line = '{"calls": 1000, "duration_us": 500000, "failed": 2, "p50_us": 107, "p99_us": 248}'
    assert read_wrk(ended(f"Running 1s test\n{line}\n"), task) == Figures(1000, 2000.0, 2, 107e-6, 248e-6)


def test_vegeta_is_read() -> None:
    """Nanoseconds become seconds; calls without a 200 have failed."""
    said = {
        "latencies": {"50th": 212719, "99th": 853553},
        "requests": 100,
        "rate": 36530.2,
        "status_codes": {"200": 97, "0": 3},
    }
    assert parse_vegeta(json.dumps(said)) == Figures(100, 36530.2, 3, 212719e-9, 853553e-9)


def test_oha_is_read(task: Task) -> None:
    """What its deadline cut off is no call; 900 calls in 3 s are 300 a second."""
    said = {
        "summary": {"total": 3.0, "requestsPerSec": 304.0},
        "latencyPercentiles": {"p50": 0.0001, "p99": 0.004},
        "statusCodeDistribution": {"200": 895, "502": 1},
        "errorDistribution": {"aborted due to deadline": 12, "connection closed": 4},
    }
    assert read_oha(ended(json.dumps(said)), task) == Figures(900, 300.0, 5, 0.0001, 0.004)


def test_k6_is_read(task: Task) -> None:
    """Milliseconds become seconds; the failed are those that passed the test of having failed."""
    metrics = {
        "http_reqs": {"values": {"count": 13699, "rate": 13687.2}},
        "http_req_duration": {"values": {"med": 0.954175, "p(99)": 5.0}},
        "http_req_failed": {"values": {"rate": 0, "passes": 3, "fails": 13696}},
    }
    (task.folder / "k6.json").write_text(json.dumps({"metrics": metrics}))
    assert read_k6(ended(""), task) == Figures(13699, 13687.2, 3, 0.000954175, 0.005)


def test_locust_is_read(task: Task) -> None:
    """200 calls in 4 s are 50 a second; the 100th of them took 1 ms, the 198th 20 ms."""
    stats = {
        "num_requests": 200,
        "num_failures": 1,
        "start_time": 10.0,
        "last_request_timestamp": 14.0,
        "response_times": {"20": 10, "1": 150, "3": 40},
    }
    assert read_locust(ended(json.dumps([stats])), task) == Figures(200, 50.0, 1, 0.001, 0.020)


def test_ratios_are_medians_of_the_rounds_ratios() -> None:
    """4/2, 9/3 and 4/4 are 2, 3 and 1: the median is 2, though the medians' ratio is 4/3."""
    runs = [a_run("scorebench", at, rate) for at, rate in enumerate((4.0, 9.0, 4.0))]
    runs += [a_run("hey", at, rate) for at, rate in enumerate((2.0, 3.0, 4.0))]
    own, hey = lines(runs)
    assert (hey.generator, hey.ratio, hey.rate_per_s, hey.lowest_per_s, hey.highest_per_s) == (
        "hey",
        2,
        3,
        2,
        4,
    )
    assert (own.generator, own.ratio) == ("scorebench", 1.0)


def test_medians_beside_wrks() -> None:
    """A generator's p50 less wrk's of the same round: 10 and 30 µs, in the median 20."""
    runs = [a_run("wrk", 1, 2.0, 50e-6), a_run("wrk", 2, 2.0, 60e-6)]
    runs += [a_run("oha", 1, 1.0, 60e-6), a_run("oha", 2, 1.0, 90e-6)]
    wrk, oha = lines(runs)
    assert wrk.over_wrk_s == 0
    assert oha.over_wrk_s == pytest.approx(20e-6)


def test_what_was_not_measured_is_no_number() -> None:
    """Without scorebench there is no ratio, without percentiles no time, without wrk no difference."""
    (line,) = lines([a_run("hey", 1, 30000.0)])
    assert (line.ratio, line.p50_s, line.over_wrk_s) == (None, None, None)
    assert cells([line], {})[1] == ["hey", "30,000", "30,000-30,000", "-", "-", "-", "-", "50%"]


def test_coarse_percentiles_are_shown_as_coarse() -> None:
    """What is told in whole milliseconds is printed so, and not compared with wrk's microseconds."""
    runs = [a_run("wrk", 1, 2.0, 50e-6), a_run("HttpUser", 1, 1.0, 0.006)]
    rows = cells(lines(runs), {"HttpUser": 0.001})
    assert rows[1][4:7:2] == ["50 µs", "+0 µs"]
    assert rows[2][4:7:2] == ["6 ms", "-"]


def test_tables_have_one_width_or_one_rule() -> None:
    """Text is aligned; Markdown has its rule below the header."""
    rows = cells(lines([a_run("hey", 1, 30000.0), a_run("scorebench", 1, 60000.0)]), {})
    assert len({len(line) for line in as_text(rows).splitlines()}) == 1
    assert as_markdown(rows).splitlines()[1].startswith("| --- | ---: |")
    assert "| hey | 30,000 | 30,000-30,000 | 2.00x |" in as_markdown(rows)


@pytest.mark.parametrize(("server_calls", "sound"), [(99, False), (100, True), (104, True), (105, False)])
def test_a_count_that_differs_from_the_servers_is_named(server_calls: int, sound: bool) -> None:
    """Of 100 claimed calls on 4 connections the server saw 100 to 104: one each may have been cut off."""
    run = Run("liar", 2, Figures(100, 1.0, 0, None, None), 4, server_calls, 1.0, 0.5, 0.0)
    assert run.is_sound() is sound
    assert run.doubts() == (
        [] if sound else [f"liar, round 2: says 100 calls, the server counted {server_calls}"]
    )


def test_failed_calls_and_strangers_are_named() -> None:
    """Failed calls make a run unsound; a busy machine is a doubt."""
    run = Run("x", 1, Figures(100, 1.0, 3, None, None), 4, 100, 1.0, 0.5, 0.25)
    assert not run.is_sound()
    assert run.doubts() == ["x, round 1: 3 failed calls", "x, round 1: other processes used 0.25 cores"]


def test_generators_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round has all of them and begins with another."""
    program("nginx")
    seen: list[tuple[int, str]] = []

    def remember(generator: Generator, _program: str, setting: generators.Setting) -> Run:
        seen.append((setting.round, generator.name))
        return a_run(generator.name, setting.round, 1.0)

    monkeypatch.setattr(generators, "one_run", remember)
    found = {generator.name: (generator, "x") for generator in GENERATORS[:3]}
    runs = generators.measure(found, generators.parse(["--rounds", "3"]))
    assert len(runs) == len(seen) == 9
    first = [next(name for number, name in seen if number == wanted) for wanted in (1, 2, 3)]
    assert set(first) == set(found)


def test_a_generator_that_breaks_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its earlier rounds do not stand in the table, and it is named."""
    program("nginx")

    def breaks(generator: Generator, _program: str, setting: generators.Setting) -> Run:
        if generator.name == "wrk" and setting.round == 2:
            raise Failed("wrk: broke")
        return a_run(generator.name, setting.round, 1.0)

    monkeypatch.setattr(generators, "one_run", breaks)
    found = {generator.name: (generator, "x") for generator in GENERATORS if generator.name in ("wrk", "hey")}
    runs = generators.measure(found, generators.parse(["--rounds", "2"]))
    assert {run.generator for run in runs} == set(found) == {"hey"}
    assert "wrk: broke; left out" in capsys.readouterr().err


PEERS = [generator for generator in GENERATORS if generator.name != "scorebench"]


@pytest.mark.parametrize("generator", PEERS, ids=lambda generator: generator.name)
def test_every_generator_runs_and_agrees_with_the_server(generator: Generator) -> None:
    """A second of each against the stub: its figures can be read, its count is the server's, none failed."""
    program("nginx")
    found = generator.find()
    require(generator.name, found is not None, f"install {generator.name} and have it on the PATH")
    assert found is not None
    options = generators.parse(["--seconds", "1", "--connections", "2"])
    with stub() as server:
        run = generators.one_run(
            generator, found, generators.Setting(server, min(os.sched_getaffinity(0)), 1, options)
        )
    assert run.figures.calls > 0
    assert run.is_sound(), run.doubts()
    assert run.figures.p50_s is not None
    assert run.figures.p99_s is not None
    assert run.figures.p50_s <= run.figures.p99_s < 5


def test_versions_are_the_programs_own(tmp_path: Path) -> None:
    """The first number with a dot that it prints; None where it was not asked."""
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho tool v1.2.3-4, built yesterday\n")
    tool.chmod(0o755)
    generator = GENERATORS[0]
    assert version(generator, str(tool)) == "1.2.3-4"
    assert version(next(peer for peer in PEERS if not peer.version), str(tool)) is None


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--only", "wrk,ab"], "--only: ab is not known; known are scorebench, FastHttpUser"),
        (["--rounds", "0"], "'0' is not a whole number from 1"),
        (["--json", "/nowhere/x.json"], "/nowhere/x.json"),
    ],
)
def test_wrong_input_ends_with_2_and_its_reason(options: list[str], complaint: str) -> None:
    """Nothing is measured, and the line says what is wrong. (Run as a script, as the docs say.)"""
    command = [sys.executable, str(ROOT / "bench" / "generators.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_generator_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not there is left out with a word; if nothing is there, that is an error."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv("GOPATH", "/nowhere")
    monkeypatch.setenv("CARGO_HOME", "/nowhere")
    gone = [Generator("ab", lambda: None, lambda *_: [], read_wrk)]
    monkeypatch.setattr(generators, "GENERATORS", (*PEERS[:1], *gone))
    assert list(generators.find(None)) == ["FastHttpUser"]
    assert "ab: not found, left out" in capsys.readouterr().err
    with pytest.raises(Failed, match="no generator found"):
        generators.find("ab")
