"""Whole runs, as a user starts them, against the fake server: its log is the truth."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psutil
import pytest

from scorebench.cli import parser
from scorebench.errors import InputError
from scorebench.folders.fresh import run_folder
from scorebench.runs import server as running_server
from scorebench.runs.request import Request, check_rows
from tests.commands import ROOT, Done, here, locust, scorebench
from tests.scoring_server import (
    Behaviour,
    Constant,
    Reply,
    ScoringServer,
    refusing_port,
    replies,
    scoring_server,
)

URL = "http://127.0.0.1:1"
WINE = str(ROOT / "payloads" / "wine.csv")


def accounted(done: Done, server: ScoringServer) -> None:
    """Every call that was due stands in the account, and every one that was sent in the server's log."""
    summary = done.summary
    account = summary["accounting"]
    fates = account["valid"] + account["invalid"] + account["failed"] + account["cut_off"]
    assert account["due"] == fates + sum(account["never_sent"].values())
    assert account["adds_up"], account["mismatches"]
    # A call that is sent again never reached the server: reconnects add nothing to its log.
    assert fates + summary["warm_up"]["calls"] == len(server.log())


def requested(*words: str) -> Request:
    """`scorebench run WORDS`, checked and not started."""
    options = parser().parse_args(["run", *words])
    options.words = ["run", *words]
    return Request.of(options)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--data", "bad.csv"), "bad.csv"),
        (("--data", "bad.csv", "--format", "parquet"), "bad.csv"),
        (("--body", "bad.json"), "bad.json"),
        (("--data", "no.csv"), "no.csv"),
    ],
)
def test_rows_that_cannot_be_sent_are_refused_before_a_server_is_started(
    given: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a minute to come up: nobody should wait that long to hear of a typo."""
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3,4,5\n")
    (tmp_path / "bad.json").write_text('{"dataframe_split": {"columns": ["a"], "data": [[1], [2, 3]]}}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running_server, "running_server", lambda *_: pytest.fail("a server was started"))
    request = requested("webserver", *given)
    with pytest.raises(InputError, match=re.escape(said)), request.ready():
        pytest.fail("a run was begun")


@pytest.mark.parametrize("target", ["webserver", "http://127.0.0.1:1"])
def test_a_sweep_of_rows_that_cannot_be_sent_is_refused_as_a_whole(target: str, tmp_path: Path) -> None:
    """Each cell would start a server, or a process, to say the same."""
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3,4,5\n")
    done = here(tmp_path, "sweep", target, "--data", "bad.csv", "--users", "1,2", "--format", "split,csv")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("scorebench: bad.csv")
    assert not (tmp_path / "reports").exists()


def test_rows_are_refused_only_where_no_cell_can_send_them() -> None:
    """One format of a sweep may hold what another can't."""
    good, bad = requested("webserver"), requested("webserver", "--data", "no.csv")
    check_rows([bad, good])
    with pytest.raises(InputError, match=r"no\.csv"):
        check_rows([bad, bad])


def test_accounted_goes_red(tmp_path: Path) -> None:
    """The check of the counts fails when the server saw one call more."""
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "1", "--calls", "5", "--quiet")
        accounted(done, server)
        scorebench(
            tmp_path / "..",
            "run",
            server.url,
            "--users",
            "1",
            "--calls",
            "1",
            "--report-dir",
            str(tmp_path / "other"),
        )
        with pytest.raises(AssertionError):
            accounted(done, server)


def test_a_closed_loop_counts_each_call(tmp_path: Path) -> None:
    """Three users for two seconds: as many calls as the server logged, exit 0, and the tables on stdout."""
    with scoring_server(Behaviour(service=Constant(0.005))) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "3", "--run-time", "2s")
        assert done.ends_with(0), done.err
        accounted(done, server)
    summary = done.summary
    assert summary["valid"] == summary["calls"] > 30
    assert len(summary["users"]) == 3
    assert sum(user["calls"] for user in summary["users"]) == summary["calls"]
    assert summary["service_time_s"]["min"] >= 0.005
    assert "Measurement: valid" in done.out


def test_a_number_of_calls_is_exact(tmp_path: Path) -> None:
    """--calls 100 with seven users sends 100 calls and ends by itself."""
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "7", "--calls", "100")
        assert (done.code, len(server.log())) == (0, 100)
        accounted(done, server)


def test_two_processes_count_as_one(tmp_path: Path) -> None:
    """--processes 2 with --calls 101: the same tables, users told apart, every call in the account."""
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "4", "--calls", "101", "--processes", "2")
        assert (done.code, len(server.log())) == (0, 101), done.err
        accounted(done, server)
    assert len({(user["worker"], user["user"]) for user in done.summary["users"]}) == 4


def test_answers_sent_twice_are_found_and_counted(tmp_path: Path) -> None:
    """Each answer comes twice: the calls are those of the log, and the measurement is not valid, exit 4."""
    twice = Reply(body=b'{"predictions": [1.0]}')
    twice = replace(twice, after=twice.message([]))
    with scoring_server(Behaviour(default=twice)) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "2", "--calls", "20", "--quiet")
        accounted(done, server)
    assert done.code == 4
    assert done.summary["unasked"] == 20
    assert "unasked_bytes" in {finding["code"] for finding in done.summary["verdict"]["findings"]}


def test_slow_calls_of_workers_are_waited_for(tmp_path: Path) -> None:
    """Calls that outlast Locust's half second for last reports are in the account of a distributed run."""
    with scoring_server(Behaviour(service=Constant(1.5), at_once=4)) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "4", "--run-time", "2s", "--processes", "2")
        accounted(done, server)
    assert done.summary["accounting"]["cut_off"] == 0
    assert done.summary["calls"] == done.summary["valid"] > 0


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_kept_calls_are_all_calls(tmp_path: Path, processes: list[str]) -> None:
    """--keep-calls writes a row a call, due no later than sent, sent before done, whoever sent it."""
    with scoring_server() as server:
        words = ["--users", "2", "--calls", "60", "--keep-calls", *processes]
        done = scorebench(tmp_path, "run", server.url, *words)
    calls = pd.read_parquet(done.folders[0] / "calls.parquet")
    assert len(calls) == 60
    assert (calls["due_s"] <= calls["sent_s"]).all()
    assert (calls["sent_s"] < calls["done_s"]).all()
    assert set(calls["outcome"]) == {"valid"}


def test_locust_headless_exit_codes(tmp_path: Path) -> None:
    """Plain `locust --headless` exits 0 on success, 1 on failed calls, and leaves the same folder."""
    with scoring_server() as server:
        good = locust(tmp_path, "-H", server.url, "-u", "2", "-t", "1s", "--data", WINE)
        accounted(good, server)
    assert good.code == 0, good.err
    bad_folder = tmp_path / "bad"
    bad_folder.mkdir()
    with scoring_server(Behaviour(script={2: replies.OVERLOADED})) as server:
        bad = locust(bad_folder, "-H", server.url, "-u", "2", "-t", "1s", "--data", WINE)
        accounted(bad, server)
    assert bad.code == 1
    assert bad.summary["outcomes"]["overloaded"] == 1


def test_each_outcome_of_a_call_is_told(tmp_path: Path) -> None:
    """Broken answers fail their own call alone; the user goes on, and the causes stand in the summary."""
    script = {
        1: replies.MALFORMED,
        2: replies.CUT_IN_BODY,
        3: replies.NAN,
        4: replies.WRONG_COUNT,
        5: replies.model_error(),
    }
    with scoring_server(Behaviour(script=script)) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "1", "--calls", "20")
        accounted(done, server)
    assert done.code == 1
    assert done.summary["outcomes"] == {
        "valid": 15,
        "malformed HTTP": 1,
        "connection closed": 1,
        "prediction is NaN": 1,
        "wrong number of predictions": 1,
        "model error": 1,
    }


def test_a_stop_waits_for_calls_in_flight(tmp_path: Path) -> None:
    """SIGTERM in the middle of slow calls: they are waited for, the report is written."""
    with scoring_server(Behaviour(service=Constant(1.0), at_once=2)) as server:
        command = [sys.executable, "-m", "scorebench", "run", server.url, "--users", "2", "--run-time", "60s"]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        server.wait_for_calls(2, timeout_s=30)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        done = Done(process.returncode, out, err, tmp_path / "reports")
        accounted(done, server)
    assert done.summary["accounting"]["cut_off"] == 0
    assert done.summary["valid"] == done.summary["calls"] >= 2


RUN = ["scorebench", "run"]
PLAIN_LOCUST = ["locust", "-f", str(ROOT / "locustfile.py"), "--headless", "-H"]


@pytest.mark.parametrize(
    "command",
    [RUN, [*RUN, "--processes", "2"], PLAIN_LOCUST],
    ids=["scorebench", "distributed", "locust"],
)
def test_a_second_signal_cuts_the_calls_in_flight_off(tmp_path: Path, command: list[str]) -> None:
    """Ctrl-C twice, the second while calls of 30 s are waited for: cut off, and the report is written."""
    with scoring_server(Behaviour(service=Constant(30.0))) as server:
        words = [sys.executable, "-m", *command, server.url, "--users", "2", "--run-time", "60s"]
        process = subprocess.Popen(
            words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        server.wait_for_calls(2, timeout_s=30)
        began = time.monotonic()
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(1)
        out, err = process.communicate(timeout=60)
        done = Done(process.returncode, out, err, tmp_path / "reports")
        accounted(done, server)
    assert time.monotonic() - began < 20
    assert done.summary["accounting"]["cut_off"] == 2
    assert "2 calls (100 %) were still in flight at the end" in out
    assert "Traceback" not in err


def test_a_stop_before_the_first_call_leaves_nothing(tmp_path: Path) -> None:
    """While Locust still loads: exit 143 or 130, as a shell says it, and no empty folder."""
    with scoring_server() as server:
        command = [sys.executable, "-m", "scorebench", "run", server.url, "--run-time", "60s"]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        while not psutil.Process(process.pid).children() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert server.log() == []
    assert process.returncode in (130, 143), err
    assert "Traceback" not in err
    assert not [path for path in (tmp_path / "reports").glob("*") if not path.is_symlink()]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(143), InputError("x")], ids=repr)
def test_a_folder_is_kept_for_what_was_measured_in_it(tmp_path: Path, end: BaseException) -> None:
    """Whatever ends a command: nothing is left of a folder without a recording, and one that has it stays."""

    def ends(measured: bool) -> None:
        with run_folder(tmp_path / "reports", "a run") as path:
            if measured:
                (path / "steps").mkdir()
                (path / "steps" / "recording.json").write_text("{}")
            raise end

    for measured in (False, True):
        with pytest.raises(type(end)):
            ends(measured)
        assert (tmp_path / "reports").exists() == measured


def test_what_outlasts_the_drain_is_cut_off_and_counted(tmp_path: Path) -> None:
    """A call that takes longer than --drain is counted as cut off, and does not hold the run up."""
    with scoring_server(Behaviour(service=Constant(20.0))) as server:
        began = time.monotonic()
        done = scorebench(tmp_path, "run", server.url, "--users", "1", "--run-time", "1s", "--drain", "1")
        assert time.monotonic() - began < 18
        accounted(done, server)
    assert done.summary["accounting"]["cut_off"] == 1


def test_an_open_loop_sends_its_schedule(tmp_path: Path) -> None:
    """--rate 50 for two seconds is due 100 times, and all of it is sent."""
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "10", "--rate", "50", "--run-time", "2s")
        accounted(done, server)
    assert done.summary["accounting"]["due"] == 100
    assert done.summary["valid"] == 100


def test_a_stall_shows_in_response_time(tmp_path: Path) -> None:
    """A server that freezes for a second: calls due meanwhile show the wait, though few were in service."""
    with scoring_server(Behaviour(freezes=((0.5, 1.5),))) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "2", "--rate", "100", "--run-time", "3s")
        accounted(done, server)
    summary = done.summary
    # 100/s for 1 s of stall: about 100 calls wait, half of them over 0.5 s; only two were sent into it.
    assert summary["response_time_s"]["p90"] > 0.4
    assert summary["service_time_s"]["p90"] < 0.4


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "distributed"])
def test_a_warm_up_is_kept_apart(tmp_path: Path, processes: list[str]) -> None:
    """--warm-up '11 calls' leaves exactly eleven calls out of the figures, over all processes."""
    with scoring_server() as server:
        words = ["--users", "2", "--calls", "30", "--warm-up", "11 calls", *processes]
        done = scorebench(tmp_path, "run", server.url, *words)
        accounted(done, server)
    assert done.summary["warm_up"]["calls"] == 11
    assert done.summary["calls"] == 19


@pytest.mark.parametrize(
    ("words", "calls"),
    [
        (["--iterations", "3"], 30),
        (["--iterations", "3", "--processes", "2"], 30),
        (["--iterations", "3", "--rows-per-call", "4"], 9),  # 4 + 4 + 2 rows are a pass
        (["--iterations", "3", "--calls", "25"], 25),
        (["--iterations", "3", "--rate", "20", "--run-time", "1s"], 20),
    ],
    ids=["alone", "distributed", "rows", "calls", "time"],
)
def test_whatever_limit_comes_first_ends_the_run(tmp_path: Path, words: list[str], calls: int) -> None:
    """Passes over ten rows, calls and time combine, to the call."""
    data = tmp_path / "ten.csv"
    data.write_text("".join(Path(WINE).read_text().splitlines(keepends=True)[:11]))
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "3", "--data", str(data), *words)
        assert (done.code, len(server.log())) == (0, calls), done.err
        accounted(done, server)


LISTENED_TO = """
import gevent
from locust import events
from scorebench.plugin import ScoringUser

class Caller(ScoringUser):
    pass

@events.init.add_listener
def listen(environment, **_):
    environment.events.request.add_listener(tell)

def tell(**_):
    gevent.sleep(0.002)  # as what sends each request's time to a database does
"""


def test_who_waits_at_each_request_loses_no_call(tmp_path: Path) -> None:
    """A listener to requests that waits is waited for: each call is in the report, and in Locust's table."""
    locustfile = tmp_path / "listened_to.py"
    locustfile.write_text(LISTENED_TO)
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        words = ["-H", server.url, "-u", "4", "-r", "4", "-t", "3s", "--data", WINE]
        done = locust(tmp_path, *words, locustfile=locustfile)
        accounted(done, server)
    assert done.ends_with(0), done.err
    assert "Traceback" not in done.err
    *_, last = re.findall(r"^POST +/invocations +(\d+) +0\(0", done.err, re.MULTILINE)
    assert int(last) == done.summary["calls"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["--rows-per-call", "0"], "--rows-per-call"),
        (["--format", "xml"], "--format"),
        (["--rate", "0"], "--rate"),
        (["--rate", "nan"], "--rate"),
        (["--iterations", "0"], "--iterations"),
        (["--limit", "p99<50"], "--limit"),
        (["--warm-up", "40s"], "--warm-up"),
        (["--users", "0"], "--users"),
        (["--processes", "0"], "--processes"),
        (["--generator-cpus", "999"], "no core 999"),
        (["--generator-cpus", "one"], "--generator-cpus"),
        (["--run-time", "1500ms"], "2s"),
        (["--report-dir", "/proc/none"], "/proc/none"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(tmp_path: Path, words: list[str], said: str) -> None:
    """What can't be used is named in one line; nothing was sent, no folder left, no traceback."""
    by_the_command = (
        words[0] != "--data"
    )  # Locust's process reads the data, and may not be started in this one
    with scoring_server() as server:
        done = (here if by_the_command else scorebench)(tmp_path, "run", server.url, *words)
        assert server.log() == []
    assert done.code == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1, done.err
    assert not done.folders


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["--calls", "661"], True),
        (["--calls", "662"], False),
        (["--calls", "700", "--warm-up", "39 calls"], True),
        (["--rate", "100", "--run-time", "10s"], False),
        (["--rate", "100", "--run-time", "10s", "--warm-up", "4s"], True),
        (["--rate", "100", "--run-time", "10s", "--calls", "300"], True),
        (["--arrivals", "replay:trace.csv"], True),
        (["--run-time", "1s"], False),  # a closed loop: nobody knows how many
    ],
)
def test_a_percentile_that_the_run_cannot_support_is_refused_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], needed: bool
) -> None:
    """p99 needs 662 calls besides the warm-up, however the run is bounded; the line says so."""
    monkeypatch.chdir(tmp_path)
    Path("trace.csv").write_text("".join(f"{n / 100}\n" for n in range(500)))
    asked = ["http://127.0.0.1:1", "--limit", "p99<50ms", *words]
    if not needed:
        requested(*asked)
        return
    with pytest.raises(InputError, match=r"--limit p99<50ms: p99 needs 662 calls, the run sends about"):
        requested(*asked)


def test_no_server_says_how_to_start_one(tmp_path: Path) -> None:
    """A port that nobody listens on ends in one line with what to do, exit 2."""
    done = scorebench(tmp_path, "run", f"http://127.0.0.1:{refusing_port()}")
    assert done.code == 2
    assert "scorebench serve webserver" in done.err
    assert not done.folders


def test_a_mistyped_server_is_told_which_there_are() -> None:
    """`webservr` is no URL either."""
    with pytest.raises(
        InputError, match=r"^webservr: no such server; expected one of webserver, docker, sagemaker, or a URL"
    ):
        requested("webservr")


def test_a_report_can_be_made_again(tmp_path: Path) -> None:
    """`scorebench report DIR` prints the same figures from the recording alone."""
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "1", "--calls", "10")
    again = here(tmp_path, "report", str(done.folders[0]), "--format", "json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["calls"] == 10


def test_the_model_is_served_and_says_what_is_sent() -> None:
    """--model is both; --model-uri is its former name; a ready body is sent as it is to the model served."""
    own = requested("webserver", "--model", "models:/mine/1", "--run-time", "1.5m")
    assert (own.settings.model, own.asked.model, own.asked.run_time) == ("models:/mine/1",) * 2 + ("90s",)
    former = requested("webserver", "--model-uri", "models:/mine/1")
    assert (former.settings.model, former.asked.model) == ("models:/mine/1", "models:/mine/1")
    elsewhere = requested("http://127.0.0.1:1", "--model-uri", "models:/mine/1")
    assert elsewhere.settings.model == "models:/mine/1"
    ready = requested("webserver", "--model", "mine", "--body", "body.json")
    assert (ready.settings.model, ready.asked.model) == (None, "mine")


def test_the_former_name_of_model_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """One line on stderr, which a script may ignore; --quiet leaves it out."""
    requested("webserver", "--model-uri", "mine")
    assert capsys.readouterr().err == "scorebench: --model-uri is called --model now; both work\n"
    requested("webserver", "--model-uri", "mine", "--quiet")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["webserver", "--model-uri", "a", "--model", "b"], "--model-uri a: --model b names another"),
        (["webserver", "--model", "a", "--flavor", "spark"], "--flavor spark: a demo model, and --model a"),
        ([URL, "--workers", "2"], "--workers 2: belongs to a server that scorebench starts"),
        ([URL, "--port", "5001"], "--port 5001: belongs to a server"),
        ([URL, "--flavor", "sklearn"], "--flavor sklearn: belongs to a server"),
        ([URL, "--cpus", "0"], "--cpus 0: belongs to a server"),
        ([URL, "--cpu-limit", "1"], "--cpu-limit 1.0: belongs to a server"),
        ([URL, "--memory", "9"], "--memory 9: belongs to a server"),
        ([URL, "--base-image", "x"], "--base-image x: belongs to a server"),
        ([URL, "--env-manager", "uv"], "--env-manager uv: belongs to a server"),
        ([URL, "--python", "x"], "--python x: belongs to a server"),
    ],
)
def test_what_nobody_would_obey_is_refused(words: list[str], said: str) -> None:
    """Two models, or an option of a server that runs already."""
    with pytest.raises(InputError, match=re.escape(said)):
        requested(*words)


def test_a_missed_limit_exits_3_and_is_remembered(tmp_path: Path) -> None:
    """A limit that the server can't keep: exit 3, named in the report, and again when it is printed later."""
    with scoring_server(Behaviour(service=Constant(0.02), at_once=4)) as server:
        words = ["--users", "4", "--calls", "200", "--limit", "p90<10ms", "--limit", "valid>99%"]
        done = scorebench(tmp_path, "run", server.url, *words)
    assert done.code == 3, done.out
    again = here(tmp_path, "report")
    assert "p90<10ms" in again.out
    assert "valid>99%" in again.out


def test_a_server_that_freezes_fails_the_run(tmp_path: Path) -> None:
    """It answers for a second and never again: exit 1, and its rate is over the 3 s of the load."""
    with scoring_server(Behaviour(service=Constant(0.01), freezes=((1.0, 100.0),))) as server:
        words = ["--users", "2", "--run-time", "3s", "--drain", "2", "--limit", "valid>=100%"]
        done = scorebench(tmp_path, "run", server.url, *words)
        answered = len([one for one in server.log() if one.status == 200])
    assert done.code == 1, done.out + done.err
    assert (done.summary["valid"], done.summary["accounting"]["overdue"]) == (answered, 2)
    assert done.summary["verdict"]["met"] is False
    assert done.summary["wall_time_s"] == pytest.approx(3, abs=0.5)
    assert done.summary["throughput_per_s"] == pytest.approx(answered / 3, rel=0.2)


def test_a_generator_that_was_stopped_blames_no_server(tmp_path: Path) -> None:
    """SIGSTOP of Locust for 1.5 s of 5 s at 100/s: not valid, exit 4, and no advice on the server."""
    with scoring_server(Behaviour(service=Constant(0.005))) as server:
        words = ["-H", server.url, "-u", "4", "-t", "5s", "--rate", "100", "--limit", "p95<50ms"]
        command = [sys.executable, "-m", "locust", "--headless", "-f", str(ROOT / "locustfile.py"), *words]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as held:
            while len(server.log()) < 100:
                time.sleep(0.05)
            held.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            held.send_signal(signal.SIGCONT)
            out, err = held.communicate(timeout=60)
    done = Done(held.returncode, out.decode(), err.decode(), tmp_path / "reports")
    found = {finding["code"]: finding for finding in done.summary["verdict"]["findings"]}
    assert found["generator_stalled"]["severity"] == "invalid", done.out
    assert done.code == 4, done.out
    assert not [one for one in found.values() if "server's log" in one["advice"]]
