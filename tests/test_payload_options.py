"""What the options say about the rows is what the server gets, or is refused before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import scorebench
from tests.scoring_server import scoring_server
from tests.scoring_server.scoring import rows_of


def sent(folder: Path, *words: str) -> list[bytes]:
    """The bodies that the server got of one user's single pass over the data."""
    with scoring_server() as server:
        done = scorebench(folder, "run", server.url, "-u", "1", "--iterations", "1", *words)
        assert done.code == 0, done.err
        return [call.body for call in server.log()]


def test_a_feature_called_quality_is_sent(tmp_path: Path) -> None:
    """No column is left out unless the user says so."""
    (tmp_path / "d.csv").write_text("pH,quality\n3.1,6\n")
    (body,) = sent(tmp_path, "--data", "d.csv", "--format", "records")
    assert json.loads(body) == {"dataframe_records": [{"pH": 3.1, "quality": 6}]}
    (body,) = sent(tmp_path, "--data", "d.csv", "--format", "records", "--label", "quality")
    assert json.loads(body) == {"dataframe_records": [{"pH": 3.1}]}


BODY = '{"dataframe_split": {"columns": ["a"], "data": [[1], [2], [3]]}}'


@pytest.mark.parametrize(
    "words",
    [
        ["--rows-per-call", "7"],
        ["--format", "csv"],
        ["--drop", "a"],
        ["--label", "a"],
        ["--rows", "2"],
        ["--rows-per-call", "1"],
        ["--format", "split"],
        ["--data", "d.csv"],
        ["--model", "m"],
    ],
)
def test_what_can_not_change_a_ready_body_is_refused(words: list[str], tmp_path: Path) -> None:
    """It was ignored in silence, and seven rows a call reported where the body has three."""
    (tmp_path / "body.json").write_text(BODY)
    done = scorebench(tmp_path, "run", "http://127.0.0.1:1", "--body", "body.json", *words)
    assert done.code == 2
    expected = f"scorebench: {words[0]}: can't change --body body.json, which is sent as it is; leave one out"
    assert done.err.strip() == expected


def test_a_scenario_of_eight_rows_a_call_is_no_body_of_three(tmp_path: Path) -> None:
    """multi-stream says how many rows a call has."""
    (tmp_path / "body.json").write_text(BODY)
    words = ["--body", "body.json", "--scenario", "multi-stream"]
    done = scorebench(tmp_path, "run", "http://127.0.0.1:1", *words)
    assert done.code == 2
    assert "--scenario multi-stream: takes 8 rows a call" in done.err


@pytest.mark.parametrize(
    ("words", "rows"),
    [(["--body", "body.json"], 3), (["--data", "d.csv", "--rows-per-call", "10000"], 4)],
)
def test_the_rows_that_were_sent_are_reported(words: list[str], rows: int, tmp_path: Path) -> None:
    """Three in the body; four, where the data has no more for a call of ten thousand."""
    (tmp_path / "body.json").write_text(BODY)
    (tmp_path / "d.csv").write_text("a\n1\n2\n3\n4\n")
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, "-u", "1", "--calls", "2", *words)
        log = server.log()
    assert done.code == 0, done.err
    recording = json.loads((done.folders[0] / "recording.json").read_text())
    assert recording["environment"]["payload"]["rows_per_call"] == rows
    assert {len(rows_of(call.body, "application/json")) for call in log} == {rows}
