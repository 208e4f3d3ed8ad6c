"""Other people's locustfiles work with `import scorebench.plugin` as they work without, and each call counts.

Each file in tests/strangers runs three times: as it is, with the import as its first line, and as its last.
In each run the server's log, Locust's own counts and ours must agree; over the runs, the exit code and what
the locustfile printed.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from scorebench.servers import ports
from tests.commands import ROOT, TIMEOUT_S, Done
from tests.scoring_server import Behaviour, End, Reply, ScoringServer, refusing_port, scoring_server

STRANGERS = Path(__file__).with_name("strangers")
IMPORT = "import scorebench.plugin\n"
OK = Reply(body=b'{"ok": true}')
SERVER = Behaviour(
    on_path={
        "/a": OK,
        "/b": OK,
        "/slow": replace(OK, cut=0),
        "/takes": replace(OK, service_s=0.2),
        "/half": replace(OK, cut=-3),
        "/closed": replace(OK, cut=0, end=End.CLOSE),
        "/reset": replace(OK, cut=0, end=End.RESET),
    }
)
WORDS = ("-r", "10", "-t", "3s", "-s", "3")
"""A run of three seconds, whose users may finish their task: no call is cut off."""
Name = tuple[str, str]
"""A request's method and name."""


@dataclass(frozen=True)
class Ran:
    """One run of a locustfile, and what the server saw of it."""

    done: Done
    folder: Path
    paths: Counter[str]
    """The server's log: calls by path."""

    @property
    def locust(self) -> Counter[Name]:
        """Locust's own count of requests, from its JSON file."""
        entries = json.loads((self.folder / "stats.json").read_text())
        return Counter({(entry["method"], entry["name"]): entry["num_requests"] for entry in entries})

    @property
    def ours(self) -> Counter[Name]:
        """What our report counts, by request."""
        entries = self.done.summary["requests"]
        return Counter({(entry["method"], entry["name"]): entry["calls"] for entry in entries})

    @property
    def findings(self) -> dict[str, str]:
        """The report's findings, by their kind."""
        return {one["code"]: one["text"] for one in self.done.summary["verdict"]["findings"]}

    def printed(self, word: str) -> str | None:
        """The rest of the line that the locustfile itself printed after `word`."""
        found = re.search(rf"^{word} (.*)$", self.done.out, re.MULTILINE)
        return found and found.group(1)


@dataclass(frozen=True)
class Compared:
    """The same locustfile without us, and with us: the import its first line, and its last."""

    without: Ran
    first: Ran
    last: Ran

    @property
    def ours(self) -> tuple[Ran, Ran]:
        return self.first, self.last


def run(folder: Path, source: str, words: tuple[str, ...], variables: dict[str, str], host: bool) -> Ran:
    """Run one locustfile under Locust, in a folder of its own, against a server of its own."""
    folder.mkdir()
    (folder / "locustfile.py").write_text(source)
    with scoring_server(SERVER) as server:
        command = [sys.executable, "-m", "locust", "--headless", "--only-summary", "--json-file", "stats"]
        command += ["-H", server.url] if host else []
        return ran(folder, [*command, *words], server, variables)


def ran(folder: Path, command: list[str], server: ScoringServer, variables: dict[str, str]) -> Ran:
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    done = Done(ended.returncode, ended.stdout, ended.stderr, folder / "reports")
    return Ran(done, folder, Counter(record.path for record in server.log()))


_RUNS: dict[tuple[object, ...], Compared] = {}
"""What `compare` has run: tests that ask for the same runs read the same ones."""


def compare(tmp_path: Path, name: str, *words: str, host: bool = True, **variables: str) -> Compared:
    """Run the locustfile `name` in its three ways, at the same time."""
    key = (name, words, host, *sorted(variables.items()))
    if key not in _RUNS:
        source = (STRANGERS / f"{name}.py").read_text()
        ways = {"without": source, "first": IMPORT + source, "last": source + IMPORT}
        with ThreadPoolExecutor(len(ways)) as threads:
            started = [
                threads.submit(run, tmp_path / way, text, words, variables, host)
                for way, text in ways.items()
            ]
            _RUNS[key] = Compared(*(one.result() for one in started))
    return _RUNS[key]


def test_another_exit_code_is_seen(tmp_path: Path) -> None:
    """Exit 4 of a measurement that something else made invalid is not put to the machine."""
    (tmp_path / "reports" / "a").mkdir(parents=True)
    (tmp_path / "reports" / "a" / "recording.json").touch()
    one = Ran(Done(4, "", "", tmp_path / "reports"), tmp_path, Counter())
    for codes, like in ((["generator_stalled"], True), (["generator_stalled", "task_raised"], False)):
        findings = [{"code": code, "severity": "invalid"} for code in codes]
        summary = json.dumps({"verdict": {"findings": findings}})
        (tmp_path / "reports" / "a" / "summary.json").write_text(summary)
        assert one.done.ends_with(0) is like
    assert not replace(one.done, code=1).ends_with(0)


def agree(compared: Compared, *, more: Counter[Name] | None = None) -> None:
    """Each run's counts are one; all runs ended alike, and none with a fault of ours.

    `more` are calls that only ours counts. Without it they may be those whose user Locust stopped while they
    ran: it never hears of them, and ours are cut off.
    """
    without = compared.without
    for one in compared.ours:
        assert not one.locust - one.ours, one.done.err
        only_ours = one.ours - one.locust
        if more is None:
            assert sum(only_ours.values()) <= one.done.summary["outcomes"].get("cut off", 0), one.done.err
        else:
            assert only_ours == more, one.done.err
        assert one.done.ends_with(without.done.code), one.done.err
        assert one.done.summary["accounting"]["adds_up"]
        assert tracebacks(one) == tracebacks(without), one.done.err
        assert sum(one.ours.values()) == one.done.summary["calls"]


def tracebacks(one: Ran) -> bool:
    return "Traceback" in one.done.err


def test_agree_goes_red(tmp_path: Path) -> None:
    """The comparison fails where one side has a call more."""
    compared = compare(tmp_path, "with_password", "-u", "2", *WORDS)
    agree(compared)
    extra = Counter({("POST", "/a"): 1})
    with pytest.raises(AssertionError):
        agree(compared, more=extra)


def test_spawned_greenlets_keep_their_user(tmp_path: Path) -> None:
    """Requests from pools and spawned greenlets are all counted, for the two users that spawned them."""
    compared = compare(tmp_path, "spawned", "-u", "2", *WORDS)
    agree(compared)
    for one in compared.ours:
        assert sum(one.paths.values()) == one.done.summary["calls"] > 20
        assert {user["user"] for user in one.done.summary["users"]} == {0, 1}


def test_a_call_whose_user_is_not_known_is_counted(tmp_path: Path) -> None:
    """A thread of the system has no user: its calls stand on a line of their own; a pool's have one."""
    compared = compare(tmp_path, "threads", "-u", "2", *WORDS)
    agree(compared)
    for one in compared.ours:
        users = {user["user"]: user["calls"] for user in one.done.summary["users"]}
        assert users[None] == one.ours["THREAD", "parse"] > 0
        assert set(users) == {0, 1, None}
        assert "not known" in one.done.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shaped", ("-u", "3", *WORDS)),
        ("tagged", ("-u", "4", *WORDS, "--tags", "fast")),
        ("judged", ("-u", "4", *WORDS)),
        ("nested", ("-u", "2", *WORDS)),
        ("own_client", ("-u", "2", *WORDS)),
        ("with_password", ("-u", "2", *WORDS)),
        ("stopping_early", ("-u", "3", "-r", "10", "-t", "9s", "-s", "3")),
    ],
)
def test_each_call_is_counted(tmp_path: Path, name: str, words: tuple[str, ...]) -> None:
    """Locust's counts by request, ours, and the server's log are the same.

    But for a call that was cut off: it began, and its user may have been killed before a byte left.
    """
    compared = compare(tmp_path, name, *words)
    agree(compared)
    for one in compared.ours:
        calls, cut_off = one.done.summary["calls"], one.done.summary["outcomes"].get("cut off", 0)
        assert 0 < calls - cut_off <= sum(one.paths.values()) <= calls


def test_a_shape_may_read_the_run_time(tmp_path: Path) -> None:
    """`parsed_options.run_time` stays what was asked for, and the shape ends the run."""
    compared = compare(tmp_path, "shaped", "-u", "3", *WORDS)
    for one in (compared.without, *compared.ours):
        assert one.done.ends_with(0), one.done.err
        assert "Traceback" not in one.done.err


def test_calls_that_locust_never_hears_of_are_counted(tmp_path: Path) -> None:
    """A task that raises while it judges an answer: the server had the call, so it is in the account."""
    compared = compare(tmp_path, "raising", "-u", "4", *WORDS)
    for one in compared.ours:
        assert compared.without.done.code == 1
        assert one.done.ends_with(1), one.done.err
        assert one.ours["POST", "/a"] == one.locust["POST", "/a"] == one.paths["/a"] > 0
        assert one.locust["POST", "/b"] == 0
        cut_off = one.done.summary["outcomes"].get("cut off", 0)  # of which some may not have arrived
        assert 0 <= one.ours["POST", "/b"] - one.paths["/b"] <= cut_off
        assert one.paths["/b"] > 0
        assert "wrong answer" in one.findings["task_raised"]


def test_calls_under_way_at_the_end_are_cut_off(tmp_path: Path) -> None:
    """A server that hangs: each call that reached it is cut off or given up by its task, and none is lost."""
    compared = compare(tmp_path, "hanging", "-u", "5", "-r", "10", "-t", "3s")
    assert sum(compared.without.locust.values()) == 0
    for one in compared.ours:
        outcomes = one.done.summary["outcomes"]
        assert set(outcomes) == {"client timeout", "cut off"}
        assert outcomes["cut off"] in (4, 5)  # the fifth user may be between two calls
        assert sum(outcomes.values()) == one.done.summary["calls"] == one.paths["/slow"]


def test_calls_of_other_clients_under_way_at_the_end_are_cut_off(tmp_path: Path) -> None:
    """Clients that Locust does not know, such as boto3: each call that a hanging server read is counted.

    Nine calls hang: of four users that are stopped in one, of another that calls again in `on_stop`, of one
    that gives up after 0.3 s, of a task and its greenlet at once, and of a greenlet in the background. The
    users that sleep or wait for something else have had nine answers, and have no call under way.
    """
    compared = compare(tmp_path, "own_client_hanging", "-u", "13", "-r", "20", "-t", "3s")
    for one in compared.ours:
        assert one.paths["/slow"] == 9
        outcomes = one.done.summary["outcomes"]
        assert outcomes == {"valid": 10, "cut off": 8, "client timeout": 1}, one.done.out
        assert one.done.summary["calls"] == sum(one.paths.values()) == 19
        assert one.ours["sagemaker", "finally"] == one.ours["sagemaker", "farewell"] == one.paths["/b"] == 1
        assert one.ours["sagemaker", "answered"] == 5
        assert one.ours["POST", "queueing"] == one.ours["sagemaker", "listening"] == 1
        assert one.ours["POST", "joining"] == 2
        assert one.ours["?", "Farewell, stopped in a task"] == 1
        assert one.ours["?", "GivingUp, given up in a task"] == 1
        assert one.ours["?", "TwoAtOnce, stopped in a task"] == one.ours["POST", "/slow"] == 1
        assert one.ours["?", "InTheBackground, stopped in the background"] == 1
        assert "users_killed" not in one.findings


def test_many_ways_to_make_a_call_are_counted(tmp_path: Path) -> None:
    """By path, our counts are the server's log; by name, Locust's, but for calls that Locust never hears of.

    A user that takes its kill for the failure of a call begins no new task, or the run would never end.
    """
    source = IMPORT + (STRANGERS / "many_ways.py").read_text()
    one = run(tmp_path / "run", source, ("-u", "12", "-r", "50", "-t", "3s"), {}, True)
    ours, locusts = one.ours, one.locust
    stopped = "NestedPools, stopped in the background"
    on_path = {
        "/takes": {"pool", "late", "swallowed", stopped},
        "/b": {"before", "direct"},
        "/half": {"half", "hung"},
        "/slow": {"HangingAtTheStart, given up in a task", "HangingAtTheStart, stopped in a task"},
    }
    elsewhere = {"measured", *(name for names in on_path.values() for name in names)}
    # Users that the end met in a call of the library requests, which may be on either path.
    met = {f"{user}, stopped in a task" for user in ("LeavingHttp", "LeavingFast", "ManyClients")}
    on_path["/a"] = {name for _, name in ours} - elsewhere - met
    missing = {
        path: one.paths[path] - sum(calls for (_, name), calls in ours.items() if name in names)
        for path, names in on_path.items()
    }
    in_flight = sum(calls for (_, name), calls in ours.items() if name in met)
    assert min(one.paths[path] for path in on_path) > 1
    cut_off = one.done.summary["outcomes"]["cut off"]
    # Nothing is lost; a call that was cut off may not have arrived.
    assert -cut_off <= sum(missing.values()) <= in_flight
    assert all(-cut_off <= calls <= in_flight for calls in missing.values())
    assert not locusts - ours
    unheard = {*met, "hung", "swallow", "reschedule", "interrupt", "stop", stopped, *on_path["/slow"]}
    heard_too = sum(calls for (_, name), calls in (ours - locusts).items() if name not in unheard)
    assert heard_too <= cut_off
    assert ours["POST", "start"] == ours["POST", "stop"] == 1
    assert ours["POST", "hung"] == ours["POST", "half"] == 2


def test_a_long_task_ends_when_locust_says(tmp_path: Path) -> None:
    """--stop-timeout is Locust's: a task of ten seconds is killed after one."""
    compared = compare(tmp_path, "long_task", "-u", "1", "-t", "3s", "-s", "1")
    agree(compared)
    for one in compared.ours:
        assert 0 < one.paths["/a"] < 60  # 3 s and 1 s at 10/s, and not the 100 of the whole task


def test_listeners_that_raise_take_no_call_away(tmp_path: Path) -> None:
    """A listener that stops the event before Locust counts it: ours has the call all the same."""
    compared = compare(tmp_path, "listeners", "-u", "2", *WORDS)
    for one in compared.ours:
        assert one.ours["POST", "/b"] == one.paths["/b"] > 0
        assert one.ours["POST", "/a"] == one.paths["/a"] == one.locust["POST", "/a"] > 0
        assert one.done.ends_with(compared.without.done.code), one.done.err


OPTIONS = (
    *("-u", "1", *WORDS, "--model", "llama", "--seed", "7", "--timeout", "1.5", "--iterations", "9"),
    *("--api-key", "hunter2", "--tenant=acme-42", "--tokens", "12"),
)


def test_options_of_a_stranger_win(tmp_path: Path) -> None:
    """Where both have an option, the locustfile's keeps its name; ours goes by --scorebench-NAME."""
    compared = compare(tmp_path, "own_options", *OPTIONS)
    agree(compared)
    expected = compared.without.printed("options")
    assert json.loads(str(expected)) == {
        "model": "llama",
        "data": "my data",
        "format": "my format",
        "region": "my region",
        "seed": 7,
        "timeout": 1.5,
        "rounds": 9,
        "tenant": "acme-42",
        "tokens": 12,
        "run_time": 3,
        "stop_timeout": 3,
    }
    for one in compared.ours:
        assert one.printed("options") == expected
        assert "--scorebench-model" in one.done.err


def test_the_recorded_command_holds_no_secret(tmp_path: Path) -> None:
    """What the parser calls secret is hidden, and so is any text of an option that we don't know."""
    compared = compare(tmp_path, "own_options", *OPTIONS)
    for one in compared.ours:
        command = one.done.summary["environment"]["command"]
        assert "hunter2" not in command
        assert "acme" not in command
        assert "--tokens 12" in command
        assert command.startswith("locust --headless")
        assert "-u 1 -r 10 -t 3s" in command


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [("", (), 1), ("7", (), 7), ("0", (), 0), ("", ("--exit-code-on-error", "9"), 9)],
)
def test_the_exit_code_that_was_decided_stays(
    tmp_path: Path, code: str, words: tuple[str, ...], expected: int
) -> None:
    """Calls failed: what the locustfile or --exit-code-on-error makes of that is what Locust exits with."""
    compared = compare(tmp_path, "own_exit_code", "-u", "2", *WORDS, *words, MY_CODE=code)
    agree(compared)
    assert compared.first.done.ends_with(expected)


def test_a_missed_limit_is_worse_than_a_zero(tmp_path: Path) -> None:
    """A locustfile that decides for 0 can't know of our limits: a missed one exits 3."""
    words = ("-u", "2", *WORDS, "--limit", "throughput>100000/s", "--limit", "valid>1%")
    compared = compare(tmp_path, "own_exit_code", *words, MY_CODE="0")
    assert compared.without.done.code == 2  # Locust knows no --limit
    assert all(one.done.ends_with(3) for one in compared.ours)


def test_requests_outside_of_the_test_are_told(tmp_path: Path) -> None:
    """Requests in init are in neither table, those at the start and the end of the test in both.

    Locust's last table has what was sent while it quits, too; ours says how many it left out.
    """
    compared = compare(tmp_path, "outside", "-u", "1", *WORDS)
    for one in compared.ours:
        assert compared.without.done.code == 0
        assert one.done.ends_with(0), one.done.err
        assert one.locust - one.ours == Counter({("POST", "quitting"): 1})
        calls, cut_off = one.ours["POST", "/b"], one.done.summary["outcomes"].get("cut off", 0)
        assert 0 < calls - cut_off <= one.paths["/b"] <= calls  # a byte of the last one may never have left
        assert one.paths["/a"] == 5
        assert one.ours["POST", "test_start"] == one.ours["POST", "test_stop"] == 1
        # init twice, quitting once
        assert "3 requests" in one.findings["outside_the_test"]


@pytest.mark.parametrize("host", ["localhost:50051", "ws://127.0.0.1:5501/x", "", "http://u:secret@h"])
def test_any_host_runs(tmp_path: Path, host: str) -> None:
    """What our client would refuse is nothing to a user that has its own."""
    compared = compare(tmp_path, "hosts", "-u", "1", *WORDS, host=False, MY_HOST=host)
    agree(compared)
    for one in compared.ours:
        assert one.ours["grpc", "SayHello"] > 0
        assert "secret" not in (one.done.folders[0] / "recording.json").read_text()
        assert "/invocations" not in (one.done.folders[0] / "recording.json").read_text()


def test_failures_have_their_own_names(tmp_path: Path) -> None:
    """Refused, late, closed and reset calls of either client are told apart."""
    nobody = f"http://127.0.0.1:{refusing_port()}"
    compared = compare(tmp_path, "failing", "-u", "4", *WORDS, NOBODY=nobody)
    agree(compared)
    for one in compared.ours:
        expected = Counter(
            {
                "connection refused": one.ours["POST", "refused"] + one.ours["POST", "fast refused"],
                "client timeout": one.ours["POST", "late"] + one.ours["POST", "fast late"],
                # geventhttpclient, below FastHttpUser, calls a reset a closed connection.
                "connection closed": sum(
                    one.ours["POST", name] for name in ("closed", "fast closed", "fast reset")
                ),
                "connection reset": one.ours["POST", "reset"],
            }
        )
        assert Counter(one.done.summary["outcomes"]) == expected
        assert min(expected.values()) > 0


def test_files_that_run_out_are_the_generators_fault(tmp_path: Path) -> None:
    """Locust's clients can open no connection: their calls fail, and the measurement is not valid."""
    source = IMPORT + (STRANGERS / "files_run_out.py").read_text()
    one = run(tmp_path / "run", source, ("-u", "60", "-r", "60", "-t", "2s"), {}, True)
    outcomes = one.done.summary["outcomes"]
    assert min(outcomes["connection failed"], outcomes["valid"]) > 0
    assert "Too many open files" in one.findings["own_limit"]
    assert not one.done.summary["verdict"]["valid"]


def test_a_killed_worker_lost_at_most_what_the_report_says(tmp_path: Path) -> None:
    """Calls in the server's log that are in no figure: fewer than the finding says."""
    source = IMPORT + (STRANGERS / "killed_worker.py").read_text()
    words = ("-u", "4", "-r", "100", "-t", "6s", "--processes", "2")
    one = run(tmp_path / "run", source, words, {}, True)
    lost = re.search(r"at most ([\d,]+) calls that it had sent", one.findings["worker_lost"])
    assert lost is not None
    missing = sum(one.paths.values()) - one.done.summary["calls"]
    assert 20 < missing <= int(lost[1].replace(",", ""))


def test_the_csv_logger_hears_each_request(tmp_path: Path) -> None:
    """Locust's own logger beside us has a line for each request."""
    compared = compare(tmp_path, "logging_requests", "-u", "1", *WORDS)
    agree(compared)
    for one in compared.ours:
        with (one.folder / "requests.csv").open() as lines:
            assert len(list(csv.DictReader(lines))) == one.paths["/a"] > 0


def test_locusts_own_listeners_hear_our_users(tmp_path: Path) -> None:
    """The CSV logger and --otel hear of each call of a ScoringUser, as the server's log has it."""
    source = (STRANGERS / "ours_logged.py").read_text()
    exporters = {f"OTEL_{kind}_EXPORTER": "none" for kind in ("TRACES", "LOGS")}
    variables = {**exporters, "OTEL_METRICS_EXPORTER": "console"}
    one = run(tmp_path / "run", source, ("-u", "1", *WORDS, "--calls", "50", "--otel"), variables, True)
    with (one.folder / "requests.csv").open() as lines:
        assert len(list(csv.DictReader(lines))) == one.paths["/invocations"] == 50, one.done.err
    assert one.locust == Counter({("POST", "/invocations"): 50})
    assert re.search(r'"count": 50,', one.done.out)


@pytest.mark.parametrize(
    "words",
    [(), ("--rate", "20"), ("--rate", "20", "--warm-up", "0.3s")],
    ids=["closed loop", "open loop", "warm-up"],
)
def test_both_kinds_of_users_count_once(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A locustfile with our users and others: each call is once in Locust's table, and once in ours.

    The schedule of an open loop is that of our users; others have none, and their calls are due when sent.
    """
    source = (STRANGERS / "ours_too.py").read_text()
    one = run(tmp_path / "run", source, ("-u", "2", *WORDS, *words), {}, True)
    assert one.done.summary["accounting"]["adds_up"]
    assert one.done.ends_with(0), one.done.err
    warm_up = one.locust - one.ours
    assert not one.ours - one.locust
    assert bool(warm_up) == ("--warm-up" in words)
    assert one.locust["POST", "/a"] == one.paths["/a"] > 0
    assert one.locust["POST", "/invocations"] == one.paths["/invocations"] > 0


@pytest.mark.parametrize("words", [("--rate", "20"), ("--calls", "30")], ids=["open loop", "calls"])
def test_a_worker_without_our_users_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    """One user of ours on two workers: nobody sends the share of the other one, which is half of the load."""
    source = (STRANGERS / "ours_too.py").read_text()
    one = run(tmp_path / "run", source, ("-u", "2", *WORDS, *words, "--processes", "2"), {}, True)
    assert one.done.code == 4, one.done.err
    (finding,) = [one for one in one.done.summary["verdict"]["findings"] if one["code"] == "users_missing"]
    assert "had no user to send its share of the calls" in finding["text"]


@pytest.mark.parametrize("words", [[], ["init"]], ids=["without init", "init"])
def test_locust_as_a_library(tmp_path: Path, words: list[str]) -> None:
    """An Environment without Locust's command line: the folder is written, and the report printed."""
    (tmp_path / "mine.py").write_text(IMPORT + (STRANGERS / "library.py").read_text())
    with scoring_server(SERVER) as server:
        one = ran(tmp_path, [sys.executable, "mine.py", *words], server, {"HOST": server.url})
    assert one.done.ends_with(0), one.done.err
    summary = one.done.summary
    cut_off = summary["outcomes"].get("cut off", 0)
    assert 0 < summary["calls"] - cut_off <= one.paths["/a"] <= summary["calls"]  # some never arrived
    assert int(str(one.printed("locust"))) == summary["calls"] - cut_off
    assert "Measurement: " in one.done.out


@pytest.mark.parametrize(("name", "code"), [("leaving", 7), ("library_left", 0)])
def test_a_run_that_python_leaves_is_reported(tmp_path: Path, name: str, code: int) -> None:
    """`sys.exit` in a task, and a script that ends while its test runs: Locust reports nothing then."""
    (tmp_path / "mine.py").write_text(IMPORT + (STRANGERS / f"{name}.py").read_text())
    words = ["-m", "locust", "--headless", "-f", "mine.py", "-t", "20s"] if name == "leaving" else ["mine.py"]
    with scoring_server(SERVER) as server:
        host = ["-H", server.url] if name == "leaving" else []
        one = ran(tmp_path, [sys.executable, *words, *host], server, {"HOST": server.url})
    assert one.done.code == code, one.done.err
    assert "Traceback" not in one.done.err
    summary = one.done.summary
    cut_off = summary["outcomes"].get("cut off", 0)
    assert 5 < summary["calls"] - cut_off <= one.paths["/a"] <= summary["calls"]
    assert "Measurement: " in one.done.out


def test_two_who_end_a_run_leave_one_report(tmp_path: Path) -> None:
    """The second finds Locust stopped while the report is still being made: it waits for that."""
    source = IMPORT + (STRANGERS / "ended_twice.py").read_text()
    one = run(tmp_path / "run", source, ("-u", "2", *WORDS[:2], "-t", "9s", "-s", "3"), {}, True)
    assert one.done.ends_with(0), one.done.err
    assert "Traceback" not in one.done.err
    assert sum(one.paths.values()) == one.done.summary["calls"] == one.ours["POST", "/a"] > 5


def test_locust_as_a_library_with_a_worker(tmp_path: Path) -> None:
    """A master and a worker without options: no traceback, and each call is counted as Locust counts it."""
    (tmp_path / "mine.py").write_text(IMPORT + (STRANGERS / "library_of_two.py").read_text())
    with scoring_server(SERVER) as server:
        variables = {"HOST": server.url, "MASTER_PORT": str(ports.claim(0))}
        one = ran(tmp_path, [sys.executable, "mine.py"], server, variables)
    assert one.done.ends_with(0), one.done.err
    assert "Traceback" not in one.done.err
    summary = one.done.summary
    cut_off = summary["outcomes"].get("cut off", 0)
    assert 0 < summary["calls"] - cut_off <= one.paths["/a"] <= summary["calls"]
    assert int(str(one.printed("locust"))) == summary["calls"] - cut_off


@pytest.mark.parametrize(
    "words",
    [("--calls", "5"), ("--rate", "5"), ("--iterations", "2"), ("--timeout", "3"), ("--data", "x.csv")],
)
def test_options_that_nobody_obeys_are_refused(tmp_path: Path, words: tuple[str, str]) -> None:
    """No user of the locustfile is ours: an option that only ours obey is refused, and nothing is sent."""
    source = IMPORT + (STRANGERS / "with_password.py").read_text()
    one = run(tmp_path / "run", source, ("-u", "1", *WORDS, *words), {}, True)
    assert (one.done.code, sum(one.paths.values())) == (2, 0)
    assert f"{words[0]}: only users of scorebench obey it" in one.done.err
    assert "Traceback" not in one.done.err


def test_a_report_has_a_line_for_each_request(tmp_path: Path) -> None:
    """Mean, max and min of each request and user; the sums are those of the whole run."""
    source = IMPORT + (STRANGERS / "tagged.py").read_text()
    one = run(tmp_path / "run", source, ("-u", "4", *WORDS, "--tags", "fast"), {}, True)
    requests: list[dict[str, Any]] = one.done.summary["requests"]
    assert {request["name"] for request in requests} == {"read", "write"}
    for request in requests:
        assert sum(user["calls"] for user in request["users"]) == request["calls"]
        assert min(user["min_s"] for user in request["users"]) == request["min_s"] <= request["mean_s"]
        assert max(user["max_s"] for user in request["users"]) == request["max_s"] >= request["mean_s"]
    assert re.search(r"POST +read +", one.done.out)
    assert "/invocations" not in one.done.out
