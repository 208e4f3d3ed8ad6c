"""Ready bodies come from a file, a folder or JSON Lines; each goes by its own form, or is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scorebench.errors import InputError
from scorebench.payloads.bodies import load_bodies, whole_body
from scorebench.payloads.formats import FORMATS
from scorebench.payloads.formats.record import Source
from scorebench.payloads.formats.whole import WHOLE
from scorebench.payloads.payload import Payload, encode

CHAT = {"messages": [{"role": "user", "content": "Hi"}]}
SPLIT = {"dataframe_split": {"columns": ["a"], "data": [[1], [2], [3]]}}
TENSOR = {"name": "x", "datatype": "FP64"}
RECORDS = {"dataframe_records": [{"a": 1}]}


def loaded(folder: Path, name: str, content: Any, **options: Any) -> Payload:
    """What a file of this name and content is sent as; a list is one value a line."""
    path = folder / name
    text = "\n".join(map(json.dumps, content)) if isinstance(content, list) else content
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return load_bodies(path, **options)


@pytest.mark.parametrize(
    ("body", "form", "expected", "units"),
    [
        # the keys that MLflow's scoring server hands over whole (mlflow/pyfunc/utils/serving_data_parser.py)
        (CHAT, "chat", "chat", 1),
        ({**CHAT, "temperature": 0, "inputs": [1]}, "chat", "chat", 1),
        ({"prompt": "Once"}, "prompt", "completion", 1),
        # what an AgentServer's ResponsesAgent takes (mlflow.types.responses.ResponsesAgentRequest)
        ({"input": [{"role": "user", "content": "Hi"}], "context": {}}, "responses", "responses", 1),
        ({"input": "one text"}, "input", "embeddings", 1),
        ({"input": ["a", "b", "c"]}, "input", "embeddings", 3),
        ({"input": [17, 18]}, "input", "embeddings", 1),
        (SPLIT, "split", "rows", 3),
        ({"inputs": [{"a": 1}, {"a": 2}]}, "inputs", "rows", 2),
        # Azure ML: "input_data" with columns, index and data, or a list
        ({"input_data": {"columns": ["a"], "index": [0, 1], "data": [[1], [2]]}}, "azure", "rows", 2),
        ({"input_data": [[1, 2], [3, 4]]}, "azure", "rows", 2),
        ({"input_data": {"a": [1, 2]}, "params": {"k": 1}}, "azure", "rows", 2),
        # the Open Inference Protocol's own example: two rows of two, flat
        ({"inputs": [{**TENSOR, "shape": [2, 2], "data": [1, 2, 3, 4]}]}, "v2", "v2", 2),
        ({"inputs": [{**TENSOR, "shape": [2, 1], "data": [[1.5], [2.5]]}]}, "v2", "v2", 2),
    ],
)  # fmt: skip
def test_a_body_is_known_by_its_keys(body: Any, form: str, expected: str, units: int, tmp_path: Path) -> None:
    """It is sent byte for byte, and its kind says what answers it."""
    payload = loaded(tmp_path, "body.json", body)
    assert payload.bodies == (json.dumps(body).encode(),)
    assert (payload.format, payload.answers, payload.rows) == (form, expected, (units,))
    assert payload.content_type == "application/json"


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_form_knows_its_own_sample(name: str, tmp_path: Path) -> None:
    """The sample of the docs is a body of that form."""
    assert loaded(tmp_path, "body.json", WHOLE[name].sample).format == name


def test_json_lines_hold_a_body_a_line(tmp_path: Path) -> None:
    """Each as it stands there; blank lines are none; zipped is the same."""
    lines = f"{json.dumps(CHAT)}\n\n  {json.dumps(CHAT, indent=None, separators=(',', ':'))} \r\n"
    payload = loaded(tmp_path, "chats.jsonl", lines)
    assert payload.bodies == (
        b'{"messages": [{"role": "user", "content": "Hi"}]}',
        b'{"messages":[{"role":"user","content":"Hi"}]}',
    )
    (tmp_path / "chats.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + lines.encode()))
    assert load_bodies(tmp_path / "chats.jsonl.gz") == payload


def test_rows_of_lines_are_counted_one_by_one(tmp_path: Path) -> None:
    """Three rows as split, one as records: both are answered with predictions."""
    payload = loaded(tmp_path, "b.jsonl", [SPLIT, RECORDS])
    assert (payload.rows, payload.answers, payload.format) == ((3, 1), "rows", "records, split")


@pytest.mark.parametrize("name", FORMATS)
def test_counting_quickly_is_counting(name: str, tmp_path: Path) -> None:
    """Of every format, the rows of a second body are counted as those of the first."""
    form, rows = FORMATS[name], pd.DataFrame({"a": [1, 2, 3], "b": [1.5, 2.5, 3.5]})
    for part in (rows, rows[["a"]].rename(columns={"a": 0})) if name != "parquet" else (rows,):
        (body,) = encode(part, name, rows_per_call=3).bodies
        source = Source("b", data=body, kind=form.suffix)
        assert form.quick_count(source) == form.count(source) == 3


def test_a_folder_holds_bodies_of_any_suffix(tmp_path: Path) -> None:
    """In the order of their names, those in folders too; each with its own content type."""
    (tmp_path / "b.csv").write_text("a\n1\n2\n")
    (tmp_path / "a.json").write_text(json.dumps(SPLIT))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.jsonl").write_text(f"{json.dumps(RECORDS)}\n")
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".hidden.json").write_text("{")
    payload = load_bodies(tmp_path)
    assert payload.rows == (3, 2, 1)
    assert payload.content_types == ("application/json", "text/csv", "application/json")
    assert payload.digest != load_bodies(tmp_path / "a.json").digest


def test_line_4711_is_named(tmp_path: Path) -> None:
    """The broken one of five thousand."""
    lines = [json.dumps(CHAT)] * 5_000
    lines[4_710] = '{"messages": [}'
    with pytest.raises(InputError) as raised:
        loaded(tmp_path, "chats.jsonl", "\n".join(lines))
    place = f"{tmp_path / 'chats.jsonl'} line 4,711"
    assert str(raised.value) == f"{place}: found no JSON (column 15: Expecting value); correct it"


def test_mixed_kinds_need_a_word(tmp_path: Path) -> None:
    """A chat and a table are answered differently: --expect says what is valid, or the file is refused."""
    with pytest.raises(
        InputError, match=r"line 3: found a split body, and .* line 1 is chat: .*--expect any"
    ):
        loaded(tmp_path, "b.jsonl", [CHAT, CHAT, SPLIT])
    payload = loaded(tmp_path, "b.jsonl", [CHAT, CHAT, SPLIT], expect="any")
    assert (payload.answers, payload.rows, payload.format) == ("any", (1, 1, 3), "chat, split")


def test_any_body_is_sent_where_it_is_said_what_to_expect(tmp_path: Path) -> None:
    """A server that is not MLflow takes what it takes; without --expect the body is refused as before."""
    body = {"text": "Hi"}
    with pytest.raises(
        InputError, match=r"found keys 'text'; .* or say with --expect what a valid answer is"
    ):
        loaded(tmp_path, "b.json", body)
    payload = loaded(tmp_path, "b.json", body, expect="$.label")
    assert (payload.format, payload.answers, payload.rows) == ("other", "$.label", (1,))
    with pytest.raises(
        InputError, match=r"found \.txt, expected \.json, \.csv, \.parquet or \.jsonl; or say"
    ):
        loaded(tmp_path, "b.txt", "Hi")
    assert loaded(tmp_path, "b.txt", "Hi", expect="text").content_type == "text/plain"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (CHAT, {**CHAT, "temperature": 0}),
        ({**CHAT, "temperature": 1, "n": 2}, {**CHAT, "temperature": 0, "n": 2}),
        (RECORDS, {**RECORDS, "params": {"temperature": 0}}),
        ({**RECORDS, "params": {"k": 1}}, {**RECORDS, "params": {"k": 1, "temperature": 0}}),
        (
            {"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}]},
            {
                "inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}],
                "parameters": {"temperature": 0},
            },
        ),
    ],
)
def test_params_stand_where_the_form_has_a_place(body: Any, sent: Any, tmp_path: Path) -> None:
    """At the top of what MLflow hands over whole, under `params` beside rows, under `parameters` in V2."""
    payload = loaded(tmp_path, "b.json", body, params={"temperature": 0})
    assert json.loads(payload.bodies[0]) == sent


def test_params_without_a_place_are_refused(tmp_path: Path) -> None:
    """CSV has none."""
    with pytest.raises(InputError, match=r"--params: .*b\.csv is csv, which has no place for them"):
        loaded(tmp_path, "b.csv", "a\n1\n", params={"k": 1})


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("b.jsonl", "", "the file is empty"),
        ("b.jsonl", "\n \n", "found no body, expected at least one"),
        ("b.jsonl", '{"instances": []}', "line 1: found no rows"),
        ("b.jsonl", '{"rows": [1]}', "line 1: found keys 'rows'"),
        ("b.jsonl", "7", "line 1: found a int"),
        ("b.jsonl", "null", "line 1: found a NoneType"),
        ("b.jsonl", '{"messages": [NaN]}', "line 1: found a bare NaN"),
        ("b.json.gz", "no gzip", "found no whole gzip file"),
        ("b.jsonl.gz", "no gzip", "found no whole gzip file"),
        ("b.csv", "a,a\n1,2\n", "two columns named 'a'"),
        (
            "b.json",
            '{"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1]}]}',
            r"input 'x': found 1 elements, its shape \[2, 2\] has 4",
        ),
    ],
)
def test_a_bad_body_is_one_line(name: str, content: str, complaint: str, tmp_path: Path) -> None:
    """That begins with where it stands."""
    with pytest.raises(InputError, match=complaint) as raised:
        loaded(tmp_path, name, content)
    assert str(raised.value).startswith(str(tmp_path / name))
    assert "\n" not in str(raised.value)


def test_no_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(InputError, match="found no such file, expected a request body"):
        load_bodies(tmp_path / "gone.json")
    with pytest.raises(InputError, match="found no body, expected at least one"):
        load_bodies(tmp_path)


def test_memory_is_bounded_while_lines_are_read(tmp_path: Path) -> None:
    """Bodies of 49 bytes: the third is beyond 100 bytes, and no line after it is looked at."""
    lines = [json.dumps(CHAT)] * 3 + ["{broken"]
    assert len(lines[0]) == 49
    with pytest.raises(InputError, match=r"the first 3 bodies of .* take 0\.0 MiB.*--payload-memory"):
        loaded(tmp_path, "b.jsonl", "\n".join(lines), memory_bytes=100)


def test_the_example_of_a_chat_model_is_a_body() -> None:
    """As MLflow saves it beside the model."""
    payload = whole_body({**CHAT, "n": 1}, "m: input example", {"temperature": 0})
    assert json.loads(payload.bodies[0]) == {**CHAT, "n": 1, "temperature": 0}
    assert (payload.format, payload.answers) == ("chat", "chat")
