"""What the options say about the rows is what the server gets, or is refused before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.commands import here, scorebench
from tests.scoring_server import Behaviour, Reply, scoring_server
from tests.scoring_server.scoring import rows_of


def sent(folder: Path, *words: str) -> list[bytes]:
    """The bodies that the server got of one user's single pass over the data."""
    with scoring_server() as server:
        done = scorebench(folder, "run", server.url, "-u", "1", "--iterations", "1", *words)
        assert done.ends_with(0), done.err
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
    done = here(tmp_path, "run", "http://127.0.0.1:1", "--body", "body.json", *words)
    assert done.code == 2
    expected = f"scorebench: {words[0]}: can't change --body body.json, which is sent as it is; leave one out"
    assert done.err.strip() == expected


CHAT = {"messages": [{"role": "user", "content": "Hi"}]}


def test_chats_are_sent_and_their_answers_judged(tmp_path: Path) -> None:
    """A body a line, in turn; an answer that is no chat completion is not valid."""
    said = {"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}
    script = {number: Reply(body=json.dumps({**said, "id": number}).encode()) for number in range(4)}
    chats = [json.dumps({**CHAT, "n": n}) for n in (1, 2)]
    (tmp_path / "chats.jsonl").write_text("\n".join(chats))
    with scoring_server(Behaviour(script=script)) as server:
        words = ["--body", "chats.jsonl", "-u", "1", "--calls", "5"]
        done = scorebench(tmp_path, "run", server.url, *words)
        assert [call.body.decode() for call in server.log()] == [*chats, *chats, chats[0]]
    assert done.summary["outcomes"] == {"valid": 4, "predictions not parseable": 1}
    payload = done.summary["environment"]["payload"]
    assert (payload["format"], payload["expected"]) == ("chat", "chat")
    assert "payload chat, 1 row a call" in done.out
    assert "expected chat" in done.out
    assert "changed_under_load" not in {f["code"] for f in done.summary["verdict"]["findings"]}


def test_recorded_traffic_is_sent_at_its_times(tmp_path: Path) -> None:
    """Three calls at 0, 0.5 and 2 s, four times as fast: each body once, at its own time.

    A limit that three calls can't support is refused as soon as they are counted.
    """
    times_ms, values = [10_000, 10_500, 12_000], [1, 2, 3]
    bodies = [json.dumps({"instances": [value]}) for value in values]
    pd.DataFrame({"request": bodies, "timestamp_ms": times_ms}).to_parquet(tmp_path / "table.parquet")
    with scoring_server() as server:
        words = ["--body", "table.parquet", "--arrivals", "recorded*4", "-u", "3"]
        done = scorebench(tmp_path, "run", server.url, *words, "--keep-calls")
        log = server.log()
        refused = scorebench(tmp_path, "run", server.url, *words, "--limit", "p99<1s", "--quiet")
    assert (done.code, refused.code) == (0, 2), done.err + refused.err
    assert "--limit p99<1s" in refused.err
    assert [call.body.decode() for call in log] == bodies
    calls = pd.read_parquet(done.folders[0] / "calls.parquet").sort_values("due_s")
    due_s = calls["due_s"] - calls["due_s"].iloc[0]
    assert due_s.round(3).tolist() == [0.0, 0.125, 0.5]
    assert done.summary["environment"]["arrivals"] == "recorded*4"


def test_times_need_a_recording(tmp_path: Path) -> None:
    """Bodies without times, and no bodies at all, are refused before the first call."""
    (tmp_path / "body.json").write_text(BODY)
    words = ["run", "http://127.0.0.1:1", "--arrivals", "recorded"]
    done = scorebench(tmp_path, *words, "--body", "body.json")
    assert (done.code, "--arrivals recorded: the bodies have no times" in done.err) == (2, True)
    done = here(tmp_path, *words)
    assert (done.code, "--arrivals recorded: needs --body" in done.err) == (2, True)


def test_a_scenario_of_eight_rows_a_call_is_no_body_of_three(tmp_path: Path) -> None:
    """multi-stream says how many rows a call has."""
    (tmp_path / "body.json").write_text(BODY)
    words = ["--body", "body.json", "--scenario", "multi-stream"]
    done = here(tmp_path, "run", "http://127.0.0.1:1", *words)
    assert done.code == 2
    assert "--scenario multi-stream: takes 8 rows a call" in done.err


@pytest.mark.parametrize(
    ("words", "rows"),
    [(["--body", "body.json"], 3), (["--data", "d.csv", "--rows-per-call", "10000"], 4)],
)
def test_the_rows_that_were_sent_are_reported(words: list[str], rows: int, tmp_path: Path) -> None:
    """Three in the body; four, where the data has no more for a call of ten thousand: that is said once."""
    (tmp_path / "body.json").write_text(BODY)
    (tmp_path / "d.csv").write_text("a\n1\n2\n3\n4\n")
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, "-u", "1", "--calls", "2", *words)
        log = server.log()
    assert done.ends_with(0), done.err
    recording = json.loads((done.folders[0] / "recording.json").read_text())
    assert recording["environment"]["payload"]["rows_per_call"] == rows
    assert {len(rows_of(call.body, "application/json")) for call in log} == {rows}
    said = "--rows-per-call 10000: the data has 4 rows, and each call sends all of them"
    assert (done.err.count(said), done.out.count(said)) == ((1, 1) if "10000" in words else (0, 0))


@pytest.mark.parametrize("words", [["--data", "rows.csv", "--format", "v2"], ["--body", "body.json"]])
def test_v2_needs_the_models_own_path(words: list[str], tmp_path: Path) -> None:
    """The protocol's path has the model's name in it; /invocations never takes such bodies."""
    (tmp_path / "rows.csv").write_text("a,b\n1,2.5\n")
    tensor = {"name": "a", "shape": [1, 1], "datatype": "FP64", "data": [1.5]}
    (tmp_path / "body.json").write_text(json.dumps({"inputs": [tensor]}))
    refused = scorebench(tmp_path, "run", "http://127.0.0.1:1", *words)
    assert refused.code == 2
    assert "http://127.0.0.1:1: no path in it, and the bodies are v2; expected " in refused.err
    assert "http://127.0.0.1:1/v2/models/NAME/infer" in refused.err
