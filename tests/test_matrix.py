"""The table of servers and flavors, from cells whose figures the test knows."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from scorebench.answers.outcome import Outcome
from scorebench.comparison.matrix import Cell, Matrix, measured_cell
from scorebench.figures.summary import summarise
from scorebench.report import matrix as report
from scorebench.report import matrix_page
from tests.commands import here
from tests.recordings import calls, evenly, recording
from tests.schemas import validator

NO_BACKEND = "No suitable flavor backend was found for the model."


def good(server: str, flavor: str, format: str = "split", count: int = 1000) -> Cell:
    of = recording(calls(evenly(count, service_s=0.014)), server={"mlflow_version": "3.1", "cpus": [0, 1]})
    return measured_cell(server, flavor, format, summarise(of), valid=True, folder=f"{server}-{flavor}")


def test_a_cell_says_what_happened() -> None:
    """Throughput and p99 of a good one; too few calls; the error's own words; nothing at all."""
    assert report.cell_text(good("docker", "sklearn")) == "OK 100/s p99 14 ms"  # 1000 in 10.004 s
    assert report.cell_text(good("docker", "sklearn", count=50)).endswith("p99 needs 662 calls")
    assert report.cell_text(Cell("docker", "mleap", "split-1x", error=NO_BACKEND)) == f"Error: {NO_BACKEND}"
    assert report.cell_text(None) == "not measured"


def test_failed_calls_make_an_error_of_a_cell() -> None:
    """One call in a thousand that was refused: named, counted, with its answer."""
    of = recording(calls(evenly(1000), outcome=[Outcome.REJECTED] + [Outcome.VALID] * 999))
    of.add_example(Outcome.REJECTED.label, "HTTP 400: no such column | x")
    cell = measured_cell("webserver", "spark", "csv", summarise(of), valid=True, folder="x")
    assert not cell.ok
    assert report.cell_text(cell).startswith(
        f"Error: 1 of 1000 calls: {Outcome.REJECTED.label} (HTTP 400: no such"
    )
    assert "|" not in report.cell_text(cell), "it would end the table's cell"


def test_the_table_has_a_row_a_server_and_a_column_a_flavor() -> None:
    """Formats are named where a flavor has several; versions stand below, each once."""
    cells = (good("webserver", "sklearn"), good("webserver", "sklearn", "csv"), good("sagemaker", "sklearn"))
    lines = report.render(Matrix(cells, {"sagemaker": "SageMaker"})).splitlines()
    assert [word.strip() for word in lines[0].strip("|").split("|")] == [
        "Server",
        "sklearn split",
        "sklearn csv",
    ]
    assert lines[2].startswith("| webserver |")
    assert lines[3].startswith("| SageMaker |")
    assert lines[3].rstrip(" |").endswith("not measured")
    assert lines[5:] == ["- webserver: mlflow 3.1, cores 0,1", "- SageMaker: mlflow 3.1, cores 0,1"]


def test_json_and_csv_hold_the_same_cells() -> None:
    """By the shipped schema; what was not measured is null, or an empty field."""
    cells = (good("webserver", "sklearn"), Cell("docker", "mleap", "split-1x", error=NO_BACKEND))
    matrix = Matrix(cells, command="scorebench matrix")
    data = json.loads(report.render_json(matrix))
    validator("matrix").validate(data)
    assert data["command"] == "scorebench matrix"
    rows = list(csv.DictReader(io.StringIO(report.render_csv(matrix))))
    assert [row["ok"] for row in rows] == ["True", "False"]
    assert (rows[1]["p99_s"], data["cells"][1]["p99_s"]) == ("", None)
    assert data["cells"][0]["p99_s"] == pytest.approx(0.014, rel=0.01)


def test_the_page_has_a_cell_each_and_leads_to_its_run() -> None:
    """A good cell with its rate and p99; an error whose text stays text; what was not measured."""
    attack = "<script>alert(1)</script>"
    cells = (good("webserver", "sklearn"), Cell("docker", "mleap", "split-1x", error=attack))
    shown = matrix_page.render(Matrix(cells))
    assert "<strong>100/s</strong><br>p99 14\u00a0ms" in shown
    assert 'href="webserver-sklearn/report.html"' in shown
    assert shown.count("report.html") == 1
    assert attack not in shown
    assert shown.count("<strong>not measured<") == 2
    assert "In 1 of 2 cells every call got a valid answer." in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--servers", "nginx"], "--servers nginx: expected a comma-separated list of webserver"),
        (["--flavors", ""], "--flavors : expected a comma-separated list of sklearn"),
        (["--formats", "xml"], "--formats xml: expected a comma-separated list of split"),
        (["--run-time", "soon"], "--run-time"),
        (["--warm-up", "20s"], "--warm-up 20s"),
        (["--rows-per-call", "0"], "--rows-per-call 0"),
        (["--generator-cpus", "x"], "--generator-cpus x"),
    ],
)
def test_wrong_input_starts_nothing(tmp_path: Path, words: list[str], said: str) -> None:
    """One line, exit 2, no folder."""
    done = here(tmp_path, "matrix", "--flavors", "sklearn", *words)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert said in done.err
    assert not done.reports.exists()
