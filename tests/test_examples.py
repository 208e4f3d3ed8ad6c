"""The examples of docs/, run as their readers would run them: with the wheel that they install."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.built import built
from tests.commands import ROOT, Done, locust, run
from tests.scoring_server import Behaviour, Constant, scoring_server

EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with what the wheel installs, which every process that a test starts imports first."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(built(tmp_path_factory.mktemp("dist"))) as wheel:
        wheel.extractall(folder)
    with pytest.MonkeyPatch.context() as to:
        to.setenv("PYTHONPATH", str(folder))
        yield folder


def test_the_wheel_is_what_the_examples_import(tmp_path: Path, installed: Path) -> None:
    """And not this clone, which the tests themselves import."""
    done = run([sys.executable, "-c", "import scorebench; print(scorebench.__file__)"], tmp_path)
    assert Path(done.out.strip()) == installed / "scorebench" / "__init__.py"


def test_a_plain_http_user_gets_the_same_tables(tmp_path: Path) -> None:
    """A locustfile of HttpUsers that only imports the plugin: its requests are the calls."""
    with scoring_server(Behaviour(service=Constant(0.02), at_once=3)) as server:
        example = EXAMPLES / "plain_http_user.py"
        done = locust(tmp_path, "-H", server.url, "-u", "3", "-r", "10", "-t", "1s", locustfile=example)
        assert done.code == 0, done.err
        assert done.summary["calls"] == len(server.log()) > 0
    assert len(done.summary["users"]) == 3


def test_the_lines_of_the_readme(tmp_path: Path) -> None:
    """Its Python, with a shorter run against a server that is there."""
    (code,) = re.findall(
        r"```python\n(import scorebench\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        for old, new in (("http://localhost:5001", server.url), ('"30s"', '"2s"'), ("p99<50ms", "p50<5s")):
            assert old in code
            code = code.replace(old, new)
        code = code.replace("assert run.good, str(run)", "assert run.calls")  # a busy machine is not valid
        done = run([sys.executable, "-c", f"{code}\nprint(len(run.to_frame('users')))"], tmp_path)
    assert done.out.splitlines()[-1] == "5", done.err


def speed_tests(folder: Path, url: str, **changes: str) -> Done:
    """pytest on the example, with a shorter run and other `changes` of its arguments."""
    text = (EXAMPLES / "test_model_speed.py").read_text()
    for old, new in {'run_time="10s"': 'run_time="3s"', **changes}.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "test_model_speed.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir=.",
    ]
    return run([*command, "test_model_speed.py"], folder, MODEL_URL=url)


def test_a_fast_model_keeps_its_test_green(tmp_path: Path) -> None:
    """20 ms a call, four at once: about 200 calls a second, every limit kept."""
    with scoring_server(Behaviour(service=Constant(0.02), at_once=4)) as server:
        done = speed_tests(tmp_path, server.url)
    assert "test_the_model_is_fast_enough PASSED" in done.out, done.out
    assert "test_it_serves_what_we_need PASSED" in done.out


def test_a_slow_model_turns_its_test_red(tmp_path: Path) -> None:
    """No call under 20 ms where p95 is to be under 10: red, and the failure's message holds the report."""
    with scoring_server(Behaviour(service=Constant(0.02), at_once=4)) as server:
        done = speed_tests(tmp_path, server.url, **{"p95<250ms": "p95<10ms"})
    assert done.code == 1
    assert "test_the_model_is_fast_enough FAILED" in done.out, done.out
    assert "test_it_serves_what_we_need PASSED" in done.out
    assert "MISSED: 1 of 2 met" in done.out


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[str]]:
    """measure.ipynb, run in a copy of the folders that it knows; and what its displays were updated to."""
    nbformat, nbclient = importlib.import_module("nbformat"), importlib.import_module("nbclient")
    folder = tmp_path_factory.mktemp("notebook")
    here = folder / "docs" / "examples"
    here.mkdir(parents=True)
    (folder / "payloads").mkdir()
    shutil.copy(ROOT / "payloads" / "wine.csv", folder / "payloads")
    updates: list[str] = []

    class Client(nbclient.NotebookClient):  # type: ignore[misc,name-defined]
        def process_message(self, message: Any, cell: Any, cell_index: int) -> Any:
            if message["msg_type"] == "update_display_data":
                updates.append(message["content"]["data"]["text/plain"])
            return super().process_message(message, cell, cell_index)

    cells = nbformat.read(EXAMPLES / "measure.ipynb", as_version=4)
    with (
        scoring_server(Behaviour(service=Constant(0.01), at_once=4)) as server,
        pytest.MonkeyPatch.context() as to,
    ):
        to.setenv("MODEL_URL", server.url)
        Client(cells, timeout=100, resources={"metadata": {"path": str(here)}}).execute()
    return cells, updates


def outputs(cells: Any, source: str) -> list[Any]:
    """What the cell that ends with `source` put out."""
    (cell,) = [cell for cell in cells.cells if cell.cell_type == "code" and cell.source.endswith(source)]
    return list(cell.outputs)


@pytest.mark.timeout(240)
def test_the_notebook_shows_report_figures_and_chart(executed: tuple[Any, list[str]]) -> None:
    """The report as HTML, frames as tables, the chart for Plotly, and a row for each batch size."""
    cells, _ = executed
    report = outputs(cells, "\nresult")[-1]["data"]["text/html"]
    assert "Limits: 2 of 2 met" in report
    assert "throughput" in outputs(cells, '"service_p95"]]')[-1]["data"]["text/html"]
    assert "application/vnd.plotly.v1+json" in outputs(cells, "result.plot()")[-1]["data"]
    batches = outputs(cells, '"rows a call")')[-1]["data"]["text/plain"]
    assert [line.split()[0] for line in batches.splitlines()[2:]] == ["1", "10", "100"]
    assert "report.html" in outputs(cells, "iterdir())")[-1]["data"]["text/plain"]


@pytest.mark.timeout(240)
def test_the_notebook_shows_a_run_while_it_goes_on(executed: tuple[Any, list[str]]) -> None:
    """The cell follows the run second by second, and is empty at the end; a quiet run shows nothing."""
    cells, updates = executed
    assert [text for text in updates if " s of 5 s: " in text]
    assert not [text for text in updates if " of 3 s" in text]
    assert updates[-1] == ""
    (progress, _) = outputs(cells, "\nresult")
    assert progress["data"]["text/html"] == ""
