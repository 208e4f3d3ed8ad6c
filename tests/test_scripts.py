"""The two commands that scorebench grew from, as they are run, against the fake server."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT, run, script
from tests.requirements import ipv6, shared
from tests.scoring_server import Behaviour, Constant, Reply, refusing_port, replies, scoring_server

WINE = ROOT / "payloads" / "wine.csv"


def figure(out: str, name: str) -> float:
    """The number behind `name:` in the old block of results."""
    found = re.search(rf"^  {name}: +([\d.]+)$", out, re.MULTILINE)
    assert found, out
    return float(found[1])


def test_figure_goes_red() -> None:
    """A block without the figure is not read as one."""
    with pytest.raises(AssertionError):
        figure("Results (seconds):\n", "mean")


def test_one_caller_walks_the_data_once(tmp_path: Path) -> None:
    """A call a record, in order, each hundredth printed with its number, seconds and prediction."""
    with scoring_server() as server:
        done = script(
            tmp_path, "benchmark.py", "--uri", server.url, "--data_path", str(WINE), "--num_records", "250"
        )
        log = server.log()
    assert done.code == 0, done.err
    assert len(log) == 250
    assert b"quality" not in log[0].body
    numbers = re.findall(r"^  (\d+)/250: \d+\.\d{3} - \[\d+\.\d{3}\]$", done.out, re.MULTILINE)
    assert numbers == ["0", "100", "200"]
    assert figure(done.out, "records") == 250


def test_total_is_mean_times_calls(tmp_path: Path) -> None:
    """`total` is the sum of the calls' seconds, and agrees with mean times calls."""
    with scoring_server(Behaviour(service=Constant(0.02))) as server:
        words = [
            "--uri",
            server.url,
            "--data_path",
            str(WINE),
            "--num_records",
            "40",
            "--output_file_base",
            "out",
        ]
        done = script(tmp_path, "benchmark.py", *words)
    (path,) = tmp_path.glob("out-*.json")
    exact = json.loads(path.read_text())
    assert figure(done.out, "total") == pytest.approx(40 * exact["service_time_s"]["mean"], abs=0.001)
    assert figure(done.out, "min") >= 0.02
    assert exact["calls"] == 40


def test_each_of_n_callers_walks_the_data_once(tmp_path: Path) -> None:
    """Three callers, two iterations of ten records: sixty calls, a line a caller, one of all."""
    with scoring_server() as server:
        words = ["--uri", f"{server.url}/invocations", "--data_path", str(WINE), "--num_records", "10"]
        done = script(tmp_path, "threaded_benchmark.py", *words, "--num_threads", "3", "--num_iters", "2")
        log = server.log()
    assert done.code == 0, done.err
    assert len(log) == 60
    assert len({record.connection for record in log}) == 3
    lines = done.out.splitlines()
    table = lines[lines.index("Summary") + 1 :]
    assert table[0] == "  Thread Mean  Max   Min   Reqs"
    assert [(line.split()[0], line.split()[-1]) for line in table[1:5]] == [
        ("0", "20"),
        ("1", "20"),
        ("2", "20"),
        ("Total", "60"),
    ]


def test_without_a_file_the_records_are_the_demos(tmp_path: Path) -> None:
    """Outside the clone there is no payloads/wine.csv, and its rows are built in."""
    with scoring_server() as server:
        done = script(tmp_path, "benchmark.py", "--uri", server.url, "--num_records", "3")
        built_in = [record.body for record in server.log()]
        script(tmp_path, "benchmark.py", "--uri", server.url, "--num_records", "3", "--data_path", str(WINE))
        of_the_file = [record.body for record in server.log()[3:]]
    assert done.code == 0, done.err
    assert len(built_in) == 3
    assert built_in == of_the_file


def test_records_are_those_of_the_data_and_calls_those_sent(tmp_path: Path) -> None:
    """Five records, twice: 5 records, 10 calls."""
    with scoring_server() as server:
        words = ["--uri", server.url, "--num_records", "5", "--num_iters", "2"]
        done = script(tmp_path, "benchmark.py", *words)
        log = server.log()
    assert len(log) == 10
    assert [record.body for record in log[:5]] == [record.body for record in log[5:]]
    assert figure(done.out, "records") == 5
    assert figure(done.out, "calls") == 10


@pytest.mark.parametrize(("requests", "records"), [(7, 5), (3, 3)])
def test_a_number_of_requests_ends_in_the_middle_of_the_data(
    tmp_path: Path, requests: int, records: int
) -> None:
    """Of five records: seven calls start over again, and three leave two records out."""
    with scoring_server() as server:
        words = ["--uri", server.url, "--num-records", "5", "--num-requests", str(requests)]
        done = script(tmp_path, "benchmark.py", *words)
        bodies = [record.body for record in server.log()]
    assert len(bodies) == requests == figure(done.out, "calls")
    assert len(set(bodies)) == records == figure(done.out, "records")


def test_each_caller_prints_every_nth_call(tmp_path: Path) -> None:
    """Two callers, five records, every second call: 0, 2 and 4 of each, with its thread."""
    with scoring_server() as server:
        words = ["--uri", server.url, "--num_records", "5", "--num_threads", "2", "--log_mod", "2"]
        done = script(tmp_path, "threaded_benchmark.py", *words)
    shown = re.findall(r"^  (\d): (\d)/5: \d+\.\d{3} - \[\d+\.\d{3}\]$", done.out, re.MULTILINE)
    assert sorted(shown) == [(thread, call) for thread in "01" for call in "024"]


def test_two_runs_write_two_pairs_of_files(tmp_path: Path) -> None:
    """Each name has the time; runs within a second have a number too."""
    with scoring_server() as server:
        words = ["--uri", server.url, "--num_records", "2", "--output_file_base", "out"]
        for _ in range(3):
            script(tmp_path, "benchmark.py", *words)
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == 6
    assert all(re.fullmatch(r"out-\d{4}-\d\d-\d\dT\d{6}(-\d)?\.(json|csv)", name) for name in names)


def test_in_a_folder_the_files_are_named_after_the_script(tmp_path: Path) -> None:
    """`--output_file_base results/` makes no hidden file `.json`."""
    (tmp_path / "results").mkdir()
    with scoring_server() as server:
        words = ["--uri", server.url, "--num_records", "2", "--output_file_base", "results/"]
        done = script(tmp_path, "threaded_benchmark.py", *words)
    names = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert [re.sub(r"\d", "0", name) for name in names] == [
        "threaded_benchmark-0000-00-00T000000.csv",
        "threaded_benchmark-0000-00-00T000000.json",
    ]
    assert names[1].removesuffix(".json") in done.err


def test_a_run_without_a_valid_call_is_written_too(tmp_path: Path) -> None:
    """What failed, and how, is what one wants to keep."""
    with scoring_server(Behaviour(default=replies.OVERLOADED)) as server:
        words = ["--uri", server.url, "--num_records", "2", "--output_file_base", "out"]
        done = script(tmp_path, "benchmark.py", *words)
    assert done.code == 1
    (path,) = tmp_path.glob("out-*.json")
    written = json.loads(path.read_text())
    assert (written["calls"], written["valid"], written["outcomes"]) == (2, 0, {"overloaded": 2})


def test_a_host_may_be_an_ipv6_address(tmp_path: Path) -> None:
    """`--host ::1` goes into the URL in brackets."""
    ipv6()
    with scoring_server(ipv6=True) as server:
        words = ["--host", "::1", "--port", str(server.port), "--num_records", "2"]
        done = script(tmp_path, "benchmark.py", *words)
        assert len(server.log()) == 2
    assert done.code == 0, done.err


def test_a_token_comes_from_a_variable(tmp_path: Path) -> None:
    """`--bearer_env` names it; the calls have it, and nothing that is printed or written has."""
    with scoring_server() as server:
        words = [str(ROOT / "benchmark.py"), "--uri", server.url, "--num_records", "2"]
        words += ["--bearer_env", "SECRET", "--output_file_base", "out"]
        done = run([sys.executable, *words], tmp_path, SECRET="abc-123")
        assert [record.headers["authorization"] for record in server.log()] == ["Bearer abc-123"] * 2
    assert done.code == 0, done.err
    written = "".join(path.read_text() for path in tmp_path.glob("out-*"))
    assert "abc-123" not in done.out + done.err + written


@pytest.mark.parametrize("name", ["benchmark.py", "threaded_benchmark.py"])
def test_the_calls_go_on_when_nobody_reads(tmp_path: Path, name: str) -> None:
    """Behind `| head -1` there is no traceback; every call is made, and the exit code is theirs."""
    with scoring_server(Behaviour(service=Constant(0.005))) as server:
        command = [sys.executable, "-u", str(ROOT / name), "--uri", server.url, "--num_records", "100"]
        piped = f"set -o pipefail; {shlex.join([*command, '--log_mod', '1'])} | head -1"
        done = run(["bash", "-c", piped], tmp_path)
        assert len(server.log()) == 100
    assert (done.code, done.out, done.err) == (0, "Calls:\n", "")


def test_every_caller_walks_however_many_there_are(tmp_path: Path) -> None:
    """Locust starts a hundred users a second: the first wait for the last, and each calls once."""
    with scoring_server() as server:
        words = ["--uri", server.url, "--data_path", str(WINE), "--num_records", "1", "--num_threads", "120"]
        done = script(tmp_path, "threaded_benchmark.py", *words)
        log = server.log()
    assert done.code == 0, done.err
    assert len(log) == len({record.connection for record in log}) == 120


def test_a_server_without_valid_answers_ends_in_an_error(tmp_path: Path) -> None:
    """Error pages are not timed: the cause and the answer are named, and no figure is printed."""
    with scoring_server(Behaviour(default=replies.rejected("BAD_REQUEST"))) as server:
        words = ["--uri", server.url, "--data_path", str(WINE), "--num_records", "5"]
        done = script(tmp_path, "benchmark.py", *words)
    assert done.code == 1
    assert "Results" not in done.out
    assert "rejected" in done.err
    assert "BAD_REQUEST" in done.err


def test_some_failures_exit_1(tmp_path: Path) -> None:
    """Figures of the valid calls, the causes of the others, exit 1."""
    with scoring_server(Behaviour(script={2: replies.OVERLOADED})) as server:
        words = ["--uri", server.url, "--data_path", str(WINE), "--num_records", "5"]
        done = script(tmp_path, "benchmark.py", *words)
    assert done.code == 1
    assert figure(done.out, "records") == figure(done.out, "calls") == 5
    assert "overloaded: 1" in done.out


@pytest.mark.parametrize("name", ["benchmark.py", "threaded_benchmark.py"])
def test_changed_answers_stand_below_the_table(tmp_path: Path, name: str) -> None:
    """Two records, five times each: to two of ten calls the server answers another number."""
    other = Reply(body=b'{"predictions": [9.5]}')
    with scoring_server(Behaviour(script={5: other, 8: other})) as server:
        done = script(tmp_path, name, "--uri", server.url, "--num_records", "2", "--num_iters", "5")
    assert done.code == 0
    assert "  answers: 2 of 10\n" in done.out
    assert '  then:    {"predictions": [9.5]}\n' in done.out


def test_nothing_is_said_of_answers_that_stay_the_same(tmp_path: Path) -> None:
    with scoring_server() as server:
        done = script(tmp_path, "benchmark.py", "--uri", server.url, "--num_records", "2", "--num_iters", "2")
    assert "Changed" not in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--num_iters", "0"], "--num_iters"),
        (["--num_records", "0"], "--num_records 0: expected at least 1"),
        (["--data_path", "nowhere.csv"], "nowhere.csv"),
        (["--output_file_base", "none/out"], "none"),
        (["--output_file_base", "/proc/out"], "--output_file_base /proc/out: can't create a file there"),
        (
            ["--token", "abc-123"],
            "--token: other users can see it; put it in a variable and pass --bearer_env NAME",
        ),
        (["--bearer_env", "NO_SUCH_VARIABLE"], "--bearer-env NO_SUCH_VARIABLE: the variable is not set"),
        (["--num_requests", "5", "--num_iters", "2"], "give one of them"),
        (["--nonsense"], "--nonsense: no such option; see benchmark.py --help"),
        (["--uri", "ftp://localhost/"], "ftp"),
        (["--uri", f"http://127.0.0.1:{refusing_port()}"], "no server there"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(tmp_path: Path, words: list[str], said: str) -> None:
    """What can't be used is named in one line on stderr."""
    done = script(tmp_path, "benchmark.py", "--data_path", str(WINE), *words)
    assert done.code == 2
    assert said in done.err
    assert "abc-123" not in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_the_real_table_is_read(tmp_path: Path) -> None:
    """The wine-quality table itself, where it is there: its label is left out as well."""
    table = shared("data/wine-quality-white.csv")
    with scoring_server() as server:
        words = ["--uri", server.url, "--data_path", str(table), "--num_threads", "2", "--num_records", "20"]
        done = script(tmp_path, "threaded_benchmark.py", *words)
        assert len(server.log()) == 40
        assert all(b"quality" not in record.body for record in server.log())
    assert done.code == 0, done.err
