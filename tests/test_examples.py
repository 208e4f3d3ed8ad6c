"""The examples of docs/, run as their readers would run them: with the wheel that they install."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
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


def shown(page: str) -> list[str]:
    """The Python of a page of docs/: its fences, and what stands indented and names scorebench."""
    text = (ROOT / "docs" / page).read_text()
    fences = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    plain = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    groups = [dedent(group) for group in re.findall(r"(?:^ {4}.*\n(?:\n(?= {4}))?)+", plain, re.MULTILINE)]
    return fences + [group for group in groups if "scorebench" in group and is_python(group)]


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:  # it is for a shell
        return False
    return True


def changed(code: str, changes: Mapping[str, str]) -> str:
    """`code` for a machine without the reader's server and patience; each of `changes` must be in it."""
    for old, new in changes.items():
        assert old in code, old
        code = code.replace(old, new)
    return code


def test_python_stands_on_the_pages_that_are_run_here() -> None:
    """A page that gets an example gets a test below."""
    pages = {page.name for page in (ROOT / "docs").glob("*.md") if shown(page.name)}
    assert pages == {"python.md", "sweep.md", "telemetry.md", "why.md", "locustfiles.md"}
    assert shown("locustfiles.md")[0].strip() in (EXAMPLES / "plain_http_user.py").read_text()
    live = (ROOT / "tests" / "live" / "test_tracking.py").read_text()  # with a server that keeps the traces
    assert (
        re.findall(r"^class Traced:.*?\n\n\n", shown("telemetry.md")[0], re.DOTALL | re.MULTILINE)[0] in live
    )


COPIES = """
import shutil
before, after = ([shutil.copytree(result.folder, f"{name}/{n}") for n in range(10)] for name in ("b", "a"))
"""
SAYS = """
import asyncio

def answers(method, path, body, headers=()):
    \"\"\"What `app` sends for a request: its status, and its headers.\"\"\"
    scope = {"type": "http", "method": method, "path": path, "headers": list(headers), "query_string": b""}
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(app({"http_version": "1.1", "scheme": "http", **scope}, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"])
"""


def test_the_middleware_of_why_md_names_its_stage(tmp_path: Path) -> None:
    """An answer of that application has the header `Server-Timing` with the stage `predict`."""
    (code,) = shown("why.md")
    sent = 'print(answers("POST", "/score", b"[[1, 2]]", [(b"content-type", b"application/json")]))'
    done = run([sys.executable, "-c", f"{code}{SAYS}{sent}"], tmp_path)
    status, headers = ast.literal_eval(done.out)
    assert status == 200, done.err
    assert re.search(rb"predict;dur=\d", headers[b"server-timing"])


def test_the_application_of_telemetry_md_takes_part_in_a_trace(tmp_path: Path) -> None:
    """With the header and without, MLflow's AgentServer answers; with it, it is called within the trace."""
    (code,) = shown("telemetry.md")
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    within = f"""
from mlflow.tracing import get_tracing_context_headers_for_http_request

own, seen = app.app, []

async def watched(scope, receive, send):
    seen.append(get_tracing_context_headers_for_http_request().get("traceparent"))
    return await own(scope, receive, send)

app.app = watched
header = [(b"traceparent", b"{parent}")]
print([answers("GET", "/health", b"", headers)[0] for headers in ([], header)], *seen)
"""
    done = run([sys.executable, "-c", f"{code}{SAYS}{within}"], tmp_path)
    assert done.out.splitlines()[-1] == f"[200, 200] None {parent}", done.err


def test_the_lines_of_python_md(tmp_path: Path) -> None:
    """After a small sweep, as docs/sweep.md makes one, and with the same run ten times as before and after.

    A server that runs counts as one worker, from which a plan has no upper bound.
    """
    (sweep,) = shown("sweep.md")
    code = "\n".join(shown("python.md"))
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        url = repr(server.url)
        sweep = changed(
            sweep,
            {
                '"webserver"': url,
                "[1, 2, 4, 8]": "[1, 2]",
                "[1, 100]": "[1]",
                '"10m"': '"2m", run_time="1s", warm_up="0.1s", repeats=1',
            },
        )
        swept = "sweep = found.folder\n"
        code = changed(
            code,
            {
                '"http://localhost:5001"': url,
                '"webserver", model="models:/wine/3"': url,
                '"30s"': '"1s"',
                "changed = ": f"{COPIES}changed = ",
                "p99": "p50",
                '"reports/2026-11-26T180159-webserver-sweep"': "sweep",
            },
        )
        done = run([sys.executable, "-c", f"{sweep}{swept}{code}print(found.workers, found.high)"], tmp_path)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1].endswith(" None")


def test_a_locustfile_that_one_line_writes(tmp_path: Path) -> None:
    """docs/locustfiles.md: without a clone, `locust` sends the demo's rows."""
    page = (ROOT / "docs" / "locustfiles.md").read_text()
    (line,) = re.findall(r"^    echo '(.*)' > locustfile\.py$", page, re.MULTILINE)
    (tmp_path / "locustfile.py").write_text(f"{line}\n")
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        done = locust(tmp_path, "-H", server.url, "--calls", "5", locustfile=tmp_path / "locustfile.py")
    assert (done.code, done.summary["valid"]) == (0, 5), done.err


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
