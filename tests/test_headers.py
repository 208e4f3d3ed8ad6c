"""Headers that a user adds: parsed, refused, sent, and shown nowhere."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.client.access import Access
from scorebench.client.credentials import Source
from scorebench.client.headers import Headers
from scorebench.client.target import Target
from scorebench.errors import InputError
from scorebench.options import settings
from scorebench.options.recorded import shown

HTTPS = Target.parse("https://example.org")


def lines(request: bytes) -> list[str]:
    return request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")


def test_headers_of_all_three_kinds_are_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As typed, from a variable, from a file with a comment; white space around values is none of them."""
    monkeypatch.setenv("KEY", "s3cret")
    file = tmp_path / "headers"
    file.write_text("# of the gateway\nX-One: 1\n\nX-Two:two words \n", encoding="utf-8")
    access = Source(HTTPS, Headers.of(["X-Tenant:  a"], ["X-Api-Key=KEY"], [str(file)])).load()
    sent = access.headers(b"", "text/csv")
    assert sent == {"X-Tenant": "a", "X-Api-Key": "s3cret", "X-One": "1", "X-Two": "two words"}


def test_ours_are_replaced_in_their_place() -> None:
    """Host, Content-Type and Accept, once each; what frames the message stays ours."""
    given = {"host": "wine.example", "Accept": "text/event-stream", "Content-Type": "image/png", "X-A": "é"}
    assert lines(HTTPS.request(b"12", "text/csv", given)) == [
        "POST /invocations HTTP/1.1",
        "Host: wine.example",
        "Content-Type: image/png",
        "Content-Length: 2",
        "Accept: text/event-stream",
        "X-A: é",
    ]


NAMES = ["Content-Length", "Transfer-Encoding", "connection", "TE", "Expect", "Upgrade", "Accept-Encoding"]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (["X-Tenant a"], "no colon in it; expected 'Name: value'"),
        (["X Tenant: a"], "no name of a header before the colon"),
        ([": a"], "no name of a header before the colon"),
        (["X-Tenant: "], "--header X-Tenant: no value"),
        (["X-Tenant: a\r\nX-Other: b"], "a line break"),
        (["X-Tenant: a\x00"], "a control character"),
        (["X-Tenant: 日本"], "outside Latin-1"),
        (["X-A: 1", "x-a: 2"], "--header x-a: given twice"),
        (["Authorization: Bearer abc"], "pass --header-env Authorization=VARIABLE"),
        (["X-Api-Key: abc"], "pass --header-env X-Api-Key=VARIABLE"),
        (["Cookie: abc"], "pass --header-env Cookie=VARIABLE"),
        *((([f"{name}: x"]), f"--header {name}: ") for name in NAMES),
    ],
)
def test_wrong_headers_are_refused(headers: list[str], said: str) -> None:
    """One line that names the header and never its value, for it may be a secret."""
    with pytest.raises(InputError) as refused:
        Headers.of(headers, None, None)
    assert said in str(refused.value)
    assert "abc" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("variables", "files", "said"),
    [
        (["X-Key"], [], "no = in it; expected Name=VARIABLE"),
        (["X-Key=s3cret"], [], "expected the name of a variable, in capitals"),
        (["X-Key=NOT_SET"], [], "--header-env NOT_SET: the variable is not set"),
        (["Content-Length=KEY"], [], "frames the message"),
        (["X-Key=BROKEN"], [], "a line break"),
        ([], ["none"], "--header-file none: No such file"),
        ([], ["broken"], "broken, line 2: no colon in it"),
        (["X-Key=KEY"], ["twice"], "x-key: given twice"),
    ],
)
def test_wrong_places_are_refused(
    variables: list[str], files: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is not set, a file that is not there or has a line that is no header."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEY", "abcdef")
    monkeypatch.setenv("BROKEN", "abc\r\ndef")
    Path("broken").write_text("X-A: 1\nabcdef\n")
    Path("twice").write_text("x-key: abcdef\n")
    with pytest.raises(InputError) as refused:
        Headers.of(None, variables, files).read()
    assert said in str(refused.value)
    assert "abc" not in str(refused.value)


def test_a_secret_header_in_the_clear_goes_to_this_machine_alone() -> None:
    """A plain one goes anywhere: everybody may see it."""
    away, here = Target.parse("http://10.0.0.1:5001"), Target.parse("http://localhost:5001")
    secret = Headers.of(None, ["X-Key=KEY"], None)
    Source(here, secret).check()
    Source(away, Headers.of(["X-Tenant: a"], None, None)).check()
    for headers in (secret, Headers.of(None, None, ["file"])):
        with pytest.raises(InputError, match="would be sent unencrypted"):
            Source(away, headers).check()


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_header_adds_another(name: str, value: str) -> None:
    """Whatever the text is: it is refused, or it is one line of the head and nothing else."""
    try:
        ((parsed, kept),) = Headers.of([f"{name}:{value}"], None, None).plain
    except InputError:
        return
    ours = {"host", "content-type", "accept"}
    head = HTTPS.request(b"", "text/csv", {parsed: kept})
    assert len(lines(head)) == 5 + (parsed.lower() not in ours)
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n\r\n") == 1


def test_a_form_has_several_in_one_field() -> None:
    """A comma with a name and its colon behind it separates; any other comma belongs to the value."""
    found = Headers.of("X-Tenant: a, Accept: text/csv, text/plain;q=0.5, X-Two: 2", None, None)
    assert found.plain == (("X-Tenant", "a"), ("Accept", "text/csv, text/plain;q=0.5"), ("X-Two", "2"))


def test_values_are_in_no_record() -> None:
    """Neither as Python shows the settings, nor in the command as a report has it; names are."""
    asked = settings.from_namespace(Namespace(header=["X-Tenant: top-secret"]), "https://example.org")
    assert "top-secret" not in repr(asked)
    words = ["scorebench", "run", "URL", "--header", "X-Tenant: top-secret", "--header=X-B: top-secret"]
    assert shown(words) == "scorebench run URL --header 'X-Tenant: …' '--header=X-B: …'"


def test_values_are_looked_for_in_answers() -> None:
    """A server may send back what it was sent. Host and Accept are known to all."""
    access = Access(HTTPS, {"X-Tenant": "tenant-abc", "Host": "wine.example"}, [])
    assert access.hidden(b"tenant-abc at wine.example") == b"(hidden) at wine.example"
