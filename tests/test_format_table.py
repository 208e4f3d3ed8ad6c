"""A body format is one record: one more of them works from the command line to the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from bench import body_table, expect_table
from bench.format_table import table
from bench.paste import pasted

from scorebench.answers.readings import READINGS
from scorebench.payloads.bodies import load_bodies
from scorebench.payloads.formats import DEFAULT_FORMAT, FORMATS, suffix_of_type, suffixes
from scorebench.payloads.payload import encode
from scorebench.payloads.rows import read_rows
from tests.commands import ROOT, Done, scorebench
from tests.mlflow_reader import frame_values
from tests.scoring_server import scoring_server

TWO = pd.DataFrame({"a": [1, 2], "b": [0.5, None]})
MINE = '''
"""A format of the user's own: a JSON list of lists. Python imports this file when it starts."""
import json
from pathlib import Path

from scorebench.payloads.formats import FORMATS
from scorebench.payloads.formats.record import BodyFormat


def write(batch):
    def bodies(block):
        rows = block.to_numpy().tolist()
        for start in range(0, len(rows), batch.rows_per_call):
            yield json.dumps(rows[start : start + batch.rows_per_call]).encode()

    return bodies


def read(source):
    import pandas as pd

    return pd.DataFrame(json.loads(source.path.read_text()), columns=["p", "q"])


FORMATS["mine"] = BodyFormat(
    name="mine",
    about="this test",
    content_type="application/json; charset=utf-8",
    suffix=".mine",
    writer=write,
    read=read,
    values_problem=lambda column, _: None if column.dtype.kind in "if" else "mine carries numbers alone",
    sample="[[1, 2]]",
)
'''


def with_mine(folder: Path, *words: str) -> Done:
    """`scorebench WORDS`, each of whose processes knows the format `mine`."""
    (folder / "sitecustomize.py").write_text(MINE)
    return scorebench(folder, *words, PYTHONPATH=str(folder))


def test_a_new_format_is_sent_and_reported(tmp_path: Path) -> None:
    """Three rows, two a call: the server gets [[1, 2], [3, 4]] and [[5, 6]]; the report names the format."""
    data = tmp_path / "rows.mine"
    data.write_text("[[1, 2], [3, 4], [5, 6]]")
    with scoring_server() as server:
        words = ["--format", "mine", "--data", str(data), "--rows-per-call", "2", "-u", "1", "--calls", "2"]
        done = with_mine(tmp_path, "run", server.url, *words)
        log = server.log()
    assert done.ends_with(0), done.err
    assert [json.loads(call.body) for call in log] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert "payload mine, 2 rows a call" in done.out
    recording = json.loads((done.folders[0] / "recording.json").read_text())
    assert recording["environment"]["payload"]["format"] == "mine"


def test_a_new_format_is_a_ready_body(tmp_path: Path) -> None:
    """--body with its suffix is sent as it is."""
    body = tmp_path / "body.mine"
    body.write_text("[[1, 2], [3, 4]]")
    with scoring_server() as server:
        done = with_mine(tmp_path, "run", server.url, "--body", str(body), "-u", "1", "--calls", "1")
        log = server.log()
    assert done.ends_with(0), done.err
    assert [call.body for call in log] == [b"[[1, 2], [3, 4]]"]


def test_a_new_format_has_its_rules_and_its_place_in_the_help(tmp_path: Path) -> None:
    """Text is refused in the record's own words; --help and the error for a wrong name list it."""
    (tmp_path / "d.csv").write_text("a\nx\n")
    words = ["run", "http://127.0.0.1:1", "--data", "d.csv", "--format"]
    refused = with_mine(tmp_path, *words, "mine")
    assert (refused.code, refused.err.strip()) == (
        2,
        "scorebench: --format mine: column 'a': mine carries numbers alone",
    )
    assert ", mine" in with_mine(tmp_path, *words, "yaml").err
    assert ", mine" in with_mine(tmp_path, "run", "--help").out


def test_without_its_record_the_format_is_not_known(tmp_path: Path) -> None:
    """What the tests above see comes from the record, and from nothing else."""
    refused = scorebench(tmp_path, "run", "http://127.0.0.1:1", "--format", "mine")
    assert refused.code == 2
    assert "--format mine: not known" in refused.err


@pytest.mark.parametrize("name", FORMATS)
def test_a_record_is_whole(name: str, tmp_path: Path) -> None:
    """Its sample is what it writes, and it reads what it writes."""
    format = FORMATS[name]
    assert format.name == name
    rows = TWO.fillna(1.5) if name == "v2" else TWO  # a tensor has no missing elements
    (body,) = encode(rows, name, rows_per_call=2).bodies
    assert body.decode("latin-1") == format.sample or name == "parquet"
    path = tmp_path / f"d{format.suffix}"
    path.write_bytes(body)
    assert frame_values(read_rows(path)) == frame_values(rows)


def test_a_format_with_a_suffix_of_lines_has_it_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is one body, which its own reader reads; without the format it is a row a line."""
    (file := tmp_path / "two.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    assert len(read_rows(file)) == 2
    whole = replace(FORMATS["csv"], name="lines", suffix=".jsonl", is_it=lambda _: True)
    monkeypatch.setitem(FORMATS, "lines", replace(whole, read=lambda _: pd.DataFrame({"own": [7]})))
    assert read_rows(file).to_dict("list") == {"own": [7]}
    assert load_bodies(file).rows == (1,)


def test_a_content_type_is_that_of_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded traffic names types of bodies: those of formats, a new one's too, with any parameters."""
    monkeypatch.setitem(FORMATS, "avro", replace(FORMATS["csv"], content_type="avro/binary", suffix=".avro"))
    for content_type, suffix in {
        "application/json": ".json",
        "Text/CSV; charset=utf-8": ".csv",
        "application/vnd.apache.parquet": ".parquet",
        "avro/binary": ".avro",
        "image/png": "",
    }.items():
        assert suffix_of_type(content_type) == suffix


def test_the_default_is_a_format() -> None:
    """And the first in the list."""
    assert next(iter(FORMATS)) == DEFAULT_FORMAT
    assert suffixes() == (".json", ".csv", ".parquet")


def test_the_docs_list_every_format() -> None:
    """docs/payloads.md has the table that the records make."""
    page = (ROOT / "docs" / "payloads.md").read_text()
    assert pasted(page, "python bench/format_table.py", table(), markdown=True) == page
    assert all(f"| `{name}` |" in table() for name in FORMATS)


def test_the_docs_list_every_body_and_every_kind_of_answer() -> None:
    """docs/payloads.md has the tables that the records make."""
    page = (ROOT / "docs" / "payloads.md").read_text()
    assert pasted(page, "python bench/body_table.py", body_table.table(), markdown=True) == page
    assert pasted(page, "python bench/expect_table.py", expect_table.table(), markdown=True) == page
    assert all(f"| `{name}` |" in expect_table.table() for name in READINGS)
