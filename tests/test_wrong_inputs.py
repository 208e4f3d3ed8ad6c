"""What a new user gets wrong in the first hour: each is one line that says what to do, and leaves nothing.

The words that the parser refuses are in test_one_line, certificates and ports in test_tls, a model that
rejects every row in test_sent, limits and options of each command beside its other tests.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from scorebench import cli
from tests.mlflow_reader import require_mlflow

URL = "http://127.0.0.1:1"
"""Nobody listens there: what is wrong is told before anybody is called."""
WINE = {"type": "double", "name": "alcohol", "required": True}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and some files, and no word of a registry."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    Path("model").mkdir()
    Path("model/MLmodel").write_text(json.dumps({"signature": {"inputs": json.dumps([WINE])}}))
    Path("other.csv").write_text("age,sex\n1,2\n")
    Path("joined.csv").write_text("alcohol\n1;2;3\n")
    Path("commas.csv").write_text("alcohol;pH\n7,4;3,1\n")
    Path("rows.csv").write_text("alcohol\n7.4\n")
    Path("empty.csv").write_text("")
    Path("heading.csv").write_text("alcohol\n")
    Path("ragged.csv").write_text("alcohol\n7.4\n1,2,3\n")
    Path("page.csv").write_text("<!doctype html>\n<p>Sign in</p>\n")
    Path("cut.json").write_text('{"alcohol": 1')
    Path("script.py").write_text("import os\n")
    Path("nothing").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        # What is sent.
        (["--data", "nothere.csv"], "nothere.csv: found no such file, expected a data file; check the path"),
        (["--data", "rows.xlsx"], "rows.xlsx: found suffix '.xlsx', expected .json, .csv, .parquet, .jsonl"),
        (
            ["--data", "other.csv", "--model", "model"],
            "other.csv: found no column 'alcohol', only 'age', 'sex'; the model",
        ),
        (["--data", "joined.csv"], "joined.csv: found one column, 'alcohol', with '1;2;3' in it; expected"),
        (["--data", "commas.csv"], "commas.csv, column 'alcohol': found '7,4', expected a number with a dec"),
        (["--data", "rows.csv", "--drop", "target"], "rows.csv: found no column 'target' to drop, only 'al"),
        (["--data", "empty.csv"], "empty.csv: the file is empty, expected rows; give data that has rows"),
        (["--data", "heading.csv"], "heading.csv: found no rows, expected at least one; give data that has"),
        (["--data", "ragged.csv"], "ragged.csv: found no CSV table: CSV parse error: Row #3: Expected 1 col"),
        (["--data", "page.csv"], "page.csv: found a web page, expected a table; download the file itself"),
        (["--data", "cut.json"], "cut.json: found no JSON (line 1, column 14: Expecting ',' delimiter)"),
        (["--data", "script.py"], "script.py: found suffix '.py', expected .json, .csv, .parquet, .jsonl"),
        (["--data", "nothing"], "nothing: found a folder without .parquet files; give one that has some"),
        (["--data", "rows.csv", "--rows-per-call", "0"], "--rows-per-call 0: expected a whole number of at"),
        # With what.
        (["--header", "Authorization: Bearer abc"], "--header Authorization: other users of this machine"),
        (
            ["--bearer-env", "NO_SUCH_ONE"],
            "--bearer-env NO_SUCH_ONE: the variable is not set; expected a tok",
        ),
        # To what.
        (["--model", "models:/churn/9"], "models:/churn/9: found no model registry at sqlite:///"),
        (["--model", "models:/churn@best"], "models:/churn@best: found no model registry at sqlite:///"),
        (["--model", "models:/churn"], "models:/churn: found no model registry at sqlite:///"),
        (["--model", "runs:/abc/model"], "runs:/abc/model: found no MLflow runs at sqlite:///"),
        (["--model", "nomodel"], "nomodel: no MLmodel file there; expected a model directory or URI that"),
        (["--model", "a", "--model-uri", "b"], "--model-uri b: --model a names another; give --model alone"),
        (
            ["--workers", "2"],
            "--workers 2: belongs to a server that scorebench starts, and the",
        ),
        (["--port", "80"], "--port 80: belongs to a server that scorebench starts, and the target is a URL"),
        (["--flavor", "spark"], "--flavor spark: belongs to a server that scorebench starts, and the"),
        (["--python", "py"], "--python py: belongs to a server that scorebench starts, and the"),
        (
            ["--env-manager", "uv"],
            "--env-manager uv: belongs to a server that scorebench starts, and the",
        ),
        ([], "http://127.0.0.1:1: no server there (the server refused the connection"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_a_wrong_call_is_one_line(
    words: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, one line on stderr, nothing on stdout, no file that was not there."""
    if words and words[-1].startswith(("models:", "runs:")):
        require_mlflow()
    before = sorted(folder.rglob("*"))
    assert cli.main(["call", URL, *words]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"scorebench: {said}")
    assert (told.err.count("\n"), told.out) == (1, "")
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("command", ["run", "capacity", "versus", "soak"])
def test_no_command_takes_a_server_s_options_for_a_url(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ignored, they would be believed."""
    targets = [URL, URL] if command == "versus" else [URL]
    more = {"capacity": ["--limit", "p99<1s"], "soak": ["--run-time", "8h"]}.get(command, [])
    assert cli.main([command, *targets, *more, "--workers", "2"]) == 2
    assert capsys.readouterr().err.startswith("scorebench: --workers 2: belongs to a server that scorebench")


def test_a_matrix_of_no_model_is_refused_before_the_first_cell(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each cell would say the same, and the command would end well."""
    before = sorted(folder.rglob("*"))
    assert cli.main(["matrix", "--servers", "webserver,docker", "--model", "nomodel"]) == 2
    assert capsys.readouterr().err.startswith("scorebench: nomodel: no MLmodel file there")
    assert sorted(folder.rglob("*")) == before


def test_a_file_that_is_missing_is_told_before_mlflow_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its import takes seconds: with it forbidden the answer is the same."""
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert cli.main(["call", URL, "--data", "nothere.csv", "--model", "models:/churn/9"]) == 2
    assert capsys.readouterr().err == (
        "scorebench: nothere.csv: found no such file, expected a data file; check the path\n"
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("htp://localhost:5001", "htp://localhost:5001: scheme 'htp'; expected http://HOST:PORT or https://"),
        ("http:/localhost:5001", "http:/localhost:5001: no scheme or no host; expected http://HOST:PORT or"),
        ("http://localhost:99999", "http://localhost:99999: Port out of range 0-65535; expected a URL such"),
        ("webservr", "webservr: no such server; expected one of webserver, docker, sagemaker, or a URL such"),
    ],
)
def test_a_target_that_is_none_is_told_what_one_is(
    target: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and an example."""
    assert cli.main(["run", target]) == 2
    assert capsys.readouterr().err.startswith(f"scorebench: {said}")


def test_a_host_without_a_scheme_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """As browsers and curl do."""
    assert cli.main(["call", "localhost:1"]) == 2
    assert capsys.readouterr().err.startswith("scorebench: http://localhost:1: no server there")


def test_the_former_name_of_an_option_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """--model-uri does what --model does."""
    assert cli.main(["call", URL, "--model-uri", "nomodel"]) == 2
    notice, error = capsys.readouterr().err.splitlines()
    assert notice == "scorebench: --model-uri is called --model now; both work"
    assert error.startswith("scorebench: nomodel: no MLmodel file there")
