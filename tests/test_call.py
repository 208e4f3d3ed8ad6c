"""`scorebench call`: one call, shown with its answer and how that was judged; no secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorebench import cli
from tests.scoring_server import Behaviour, replies, scoring_server


@pytest.fixture(autouse=True)
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("a,b\n1,2\n3,4\n")


def test_a_valid_call_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """What curl would send, the answer, the verdict; one call reaches the server; no folder is left."""
    with scoring_server() as server:
        code = cli.main(["call", server.url, "--data", "rows.csv"])
        log = server.log()
    out = capsys.readouterr().out
    assert (code, len(log)) == (0, 1)
    assert "Sent:        1 row of rows.csv as split, 1 a call; columns sent as they are: a, b" in out
    assert f"curl {server.url}/invocations" in out
    assert "-H 'Content-Type: application/json'" in out
    assert log[0].body.decode() in out
    assert "\n200 after " in out
    assert "\nvalid: the status is 200, and it holds one prediction per row\n" in out
    assert not Path("reports").exists()


def test_a_rejected_call_shows_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """With the whole message of the server, and what it means; exit 1."""
    with scoring_server(Behaviour(default=replies.rejected("BAD_REQUEST", "inputs ['age']"))) as server:
        assert cli.main(["call", server.url, "--data", "rows.csv"]) == 1
    said = capsys.readouterr()
    assert "400 after" in said.out
    assert "inputs ['age']" in said.out
    assert "not valid: rejected" in said.out
    assert said.err == "scorebench: the call was not valid: rejected\n"


def test_no_secret_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The header's name stays; its value does not, also where the server sends it back."""
    monkeypatch.setenv("TOKEN", "s3cret-token-of-mine")
    echoed = replies.rejected("BAD_REQUEST", "no s3cret-token-of-mine")
    with scoring_server(Behaviour(default=echoed)) as server:
        assert cli.main(["call", server.url, "--bearer-env", "TOKEN"]) == 1
    said = capsys.readouterr()
    assert "-H 'Authorization: (hidden)'" in said.out
    assert "s3cret" not in said.out + said.err


def test_no_server_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was sent: exit 2."""
    assert cli.main(["call", "http://127.0.0.1:1"]) == 2
    assert "no server there" in capsys.readouterr().err
