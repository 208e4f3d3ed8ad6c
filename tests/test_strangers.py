"""Other people's locustfiles work with `import scorebench.plugin` as without, and each call counts."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Done
from tests.locustfiles import (
    IMPORT,
    STRANGERS,
    WORDS,
    Ran,
    agree,
    compare,
    run,
)
from tests.scoring_server import refusing_port


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
