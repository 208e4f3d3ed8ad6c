"""The two commands that scorebench grew from, as they are run, against the fake server."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.commands import ROOT, script
from tests.requirements import shared
from tests.scoring_server import Behaviour, Constant, refusing_port, replies, scoring_server

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
    exact = json.loads((tmp_path / "out.json").read_text())
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
    assert lines[:2] == ["Summary", "  Thread Mean  Max   Min"]
    assert [line.split()[0] for line in lines[2:6]] == ["0", "1", "2", "Total"]


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
    assert figure(done.out, "records") == 4
    assert "overloaded: 1" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--num_iters", "0"], "--num_iters"),
        (["--num_records", "0"], "--num_records 0: expected at least 1"),
        (["--data_path", "nowhere.csv"], "nowhere.csv"),
        (["--output_file_base", "none/out"], "none"),
        (["--output_file_base", "/proc/out"], "--output_file_base /proc/out: no file can be made there"),
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
