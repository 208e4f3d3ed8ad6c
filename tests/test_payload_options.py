"""What the options say about the rows is what the server gets, or is refused before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands import scorebench
from tests.scoring_server import scoring_server


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
