"""`scorebench.run`, in a process that must stay as it was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import scorebench
from scorebench.api.keywords import parsed
from scorebench.cli import parser
from scorebench.folders import folder
from scorebench.runs.request import Request
from tests.commands import ROOT
from tests.scoring_server import Behaviour, Constant, refusing_port, replies, scoring_server


def test_the_result_is_what_the_folder_holds(tmp_path: Path) -> None:
    """Calls as the server logged them, the verdict of the limits, and the recording beside it."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        found = scorebench.run(
            server.url, users=2, calls=60, limits=["mean<1s", "max<1ms"], report_dir=tmp_path, quiet=True
        )
        assert len(server.log()) == 60
    assert (found.calls, found.valid, found.met) == (60, 60, False)
    assert found.valid_measurement is found.verdict.valid
    assert folder.read(found.folder).measured.calls == 60
    assert not found.good
    assert repr(found) == f"<Result: limit missed, 60 of 60 calls valid, {found.folder}>"
    assert "MISSED: 1 of 2 met" in str(found)
    assert "latest" not in found.environment["command"]
    assert found.environment["command"].startswith(f"scorebench run {server.url} --users=2")
    assert {line.name for line in found.plot().data} == {"service time (from sent)"}


def test_a_finished_run_is_read_again(tmp_path: Path) -> None:
    """The same figures and verdict when the server is gone, from folder or recording; or by other limits."""
    with scoring_server() as server:
        found = scorebench.run(
            server.url, users=1, calls=20, limits="max<1us", report_dir=tmp_path, quiet=True
        )
    again = scorebench.read(found.folder)
    assert again == found
    assert scorebench.read(str(found.folder / "recording.json")).folder == found.folder
    assert again.met is False
    assert scorebench.read(found.folder, limits=["max<60s"]).met is True
    assert again.to_frame("seconds")["valid"].sum() == 20
    with pytest.raises(scorebench.InputError, match=r"expected the recording\.json of a run"):
        scorebench.read(tmp_path / "nowhere")


def test_a_notebook_can_complete_the_names() -> None:
    """What is imported when asked for is offered before, and is there."""
    assert set(scorebench.__all__) <= set(dir(scorebench))
    assert all(hasattr(scorebench, name) for name in scorebench.__all__)


def test_figures_come_as_frames(tmp_path: Path) -> None:
    """Figures by name, a row a user, a row a second: each adds up to the calls; what has no value is NaN."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        found = scorebench.run(server.url, users=2, calls=60, report_dir=tmp_path, quiet=True)
    figures = found.to_frame()
    assert figures.loc["calls", "value"] == 60
    assert figures.loc["service_mean", "value"] == pytest.approx(found.service.mean_s)
    assert figures["value"].isna()["service_p99"]  # too few calls
    assert found.to_frame("users")["calls"].sum() == 60
    assert found.to_frame("seconds")["valid"].sum() == 60
    with pytest.raises(scorebench.InputError, match="figures, users, seconds"):
        found.to_frame("columns")


def test_a_cell_shows_verdicts_and_runs_nothing(tmp_path: Path) -> None:
    """What the server said is text in it, not a tag; the missed limit and the folder are there."""
    bad = replies.rejected(message="<img src=x onerror=alert(1)>")
    with scoring_server(Behaviour(script={3: bad})) as server:
        found = scorebench.run(
            server.url, users=1, calls=9, limits="max<1us", report_dir=tmp_path, quiet=True
        )
    cell = found._repr_html_()
    assert "max&lt;1us" in cell
    assert "1 call without a valid answer" in cell
    assert str(found.folder) in cell
    assert "onerror=alert(1)" in cell
    assert "<img" not in cell
    assert "<script" not in cell


def test_rows_come_from_a_frame(tmp_path: Path) -> None:
    """Three rows, sent in turn."""
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"]})
    with scoring_server() as server:
        found = scorebench.run(server.url, users=1, calls=6, data=rows, report_dir=tmp_path, quiet=True)
    assert found.valid == 6
    assert found.environment["payload"]["bodies"] == 3
    assert found.environment["command"].endswith("--data FILE  # the 3 rows of a DataFrame")


def test_failed_calls_are_results_and_not_errors(tmp_path: Path) -> None:
    """A server that is overloaded once: 19 valid calls, exit code 1 in the verdict, nothing raised."""
    with scoring_server(Behaviour(script={7: replies.OVERLOADED})) as server:
        found = scorebench.run(server.url, users=1, calls=20, report_dir=tmp_path, quiet=True)
    assert (found.valid, int(found.verdict.exit_code)) == (19, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workerz": 1}, "did you mean workers?"),
        ({"user": 1}, "did you mean users?"),
        ({"rate": -1}, "--rate"),
        ({"users": 0}, "--users 0"),
        ({"data": "nowhere.csv"}, "nowhere.csv"),
        ({"limits": ["p99"]}, "--limit p99"),
        ({"limits": "p99"}, "--limit p99"),
        ({"run_time": 0.5}, "--run-time 0.5s"),
        ({"run_time": "soon"}, "--run-time"),
        ({"workers": "many"}, "--workers many: expected a whole number"),
        ({"data": [[1.0]]}, "found list; expected a pandas DataFrame"),
        ({"data": pd.DataFrame({"a": [1, "x", object()]})}, "a column can't be written"),
        ({"repeat": 3}, "no option 'repeat'"),
        ({"junit": "nowhere/out.xml"}, "nowhere"),
    ],
)
def test_wrong_input_raises_before_a_call(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    """InputError, as the command says it; nothing is sent, no folder is left."""
    with scoring_server() as server:
        with pytest.raises(scorebench.InputError) as error:
            scorebench.run(server.url, report_dir=tmp_path / "reports", quiet=True, **options)
        assert not server.log()
    assert said in str(error.value)
    assert not list((tmp_path / "reports").glob("*"))


def test_options_are_written_as_python_has_them() -> None:
    """A list is an option given again, or commas where it takes those; a mapping is JSON; None is nothing."""
    options = parsed(
        "http://x",
        {"drop": ["a", "b"], "cpus": (0, 1), "params": {"t": 0.5}, "rate": None, "keep_calls": True},
    )
    assert (options.drop, options.cpus, options.rate) == (["a", "b"], "0,1", None)
    assert json.loads(options.params) == {"t": 0.5}
    assert options.keep_calls
    said = " ".join(options.words)
    assert said == 'run http://x --drop=a --drop=b --cpus=0,1 --params={"t": 0.5} --keep-calls'


def test_python_asks_for_what_the_shell_asks_for() -> None:
    """The same words, the same settings, the same way to start Locust: two doors to one room."""
    words = ["http://127.0.0.1:1", "--rate=20", "--calls=40", "--limit=p50<1s", "--processes=2"]
    typed = parser().parse_args(["run", *words])
    typed.words = ["run", *words]
    given = {"rate": 20, "calls": 40, "limit": ["p50<1s"], "processes": 2}
    shell, python = Request.of(typed), Request.of(parsed("http://127.0.0.1:1", given))
    assert shell.settings == python.settings
    assert shell.launch("u", Path("f")) == python.launch("u", Path("f"))


def test_ctrl_c_ends_the_run_and_keeps_it(tmp_path: Path) -> None:
    """SIGINT in the middle: KeyboardInterrupt in the caller, the folder written, no process left."""
    code = f"""
import scorebench, psutil
from tests.scoring_server import scoring_server
try:
    scorebench.run({{url!r}}, users=2, run_time=60, report_dir={str(tmp_path)!r}, quiet=True)
except KeyboardInterrupt:
    print("interrupted", len(psutil.Process().children(recursive=True)))
"""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", code.format(url=server.url)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        server.wait_for_calls(5, timeout_s=60)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert out == "interrupted 0\n"
    (path,) = tmp_path.glob("2*/recording.json")
    assert folder.read(path).measured.valid >= 5


def test_no_server_is_an_input_error(tmp_path: Path) -> None:
    """Nobody listens: the message says where."""
    port = refusing_port()
    with pytest.raises(scorebench.InputError, match=str(port)):
        scorebench.run(f"http://127.0.0.1:{port}", run_time=1, report_dir=tmp_path, quiet=True)


def test_the_callers_process_stays_as_it_was(tmp_path: Path) -> None:
    """No Locust, no gevent, the standard library's own socket; also from a thread, and within asyncio."""
    code = f"""
import asyncio, socket, sys, threading
own = socket.socket
import scorebench
from tests.scoring_server import scoring_server
with scoring_server() as server:
    go = lambda: scorebench.run(server.url, users=1, calls=3, report_dir={str(tmp_path)!r}, quiet=True).calls
    async def within(): return go()
    found = []
    thread = threading.Thread(target=lambda: found.append(go())); thread.start(); thread.join()
    print(go(), asyncio.run(within()), *found)
assert socket.socket is own
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("gevent", "locust")))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["3 3 3", "[]"]
