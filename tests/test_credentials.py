"""Secrets: where they are taken from, whom they go to, and that what is shown is without them."""

from __future__ import annotations

import base64
import json
from argparse import Namespace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.client.credentials import Source
from scorebench.client.hiding import in_urls, without
from scorebench.client.target import is_loopback
from scorebench.errors import InputError
from scorebench.options import settings
from scorebench.options.form_rules import refuse_what_is_no_field

SECRET = "FwoGZXIv/YXdz+token=="
HTTPS = "https://localhost:1"


def source(url: str, **options: str) -> Source:
    """What the options ask for, as the command line would."""
    return settings.from_namespace(Namespace(**options), url).credentials


LETTERS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=12, max_size=60)


@given(LETTERS, st.binary(max_size=40), st.binary(max_size=40))
def test_no_secret_is_left_in_an_answer(secret: str, before: bytes, after: bytes) -> None:
    """Plain, as JSON writes it, as a URL does, backwards, and in hex, wherever it stands."""
    backwards, in_hex = secret[::-1], secret.encode().hex()
    for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), backwards, in_hex):
        assert form.encode() not in without(before + form.encode() + after, [secret])


@given(LETTERS, st.binary(max_size=20), st.binary(max_size=20))
def test_no_secret_is_left_in_the_base64_of_an_answer(secret: str, before: bytes, after: bytes) -> None:
    """Whatever it is encoded with, decoding what is shown does not give it back."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(before + secret.encode() + after)
        shown = without(b"said " + whole + b" .", [secret])
        # Three bytes are four letters: at least the letters that the secret alone decides are gone.
        first, last = -(-len(before) // 3) * 4, (len(before) + len(secret)) // 3 * 4
        assert whole[first:last] not in shown


def test_long_words_of_letters_and_digits_are_hidden_where_there_is_a_secret() -> None:
    """They may be a form of it that nobody thought of. Words of an error stay; without a secret all stays."""
    said = b'{"message": "Model is missing inputs [alcohol]", "trace": "4a7d1ed414474e4033ac29ccb8653d9b"}'
    assert without(said, [SECRET]) == said.replace(b"4a7d1ed414474e4033ac29ccb8653d9b", b"(hidden)")
    assert without(said, []) == said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:pw@host:1/p?key=k3y&b=c", "http://…@host:1/p?key=…&b=…"),
        ("'https://host/p?k3y'", "'https://host/p?…'"),
        (
            "asked mlflow+https://me:pw@host/x, then http://b?c=k3y",
            "asked mlflow+https://…@host/x, then http://b?c=…",
        ),
        (
            "--data rows.csv --limit p99<50ms http://host:1/p",
            "--data rows.csv --limit p99<50ms http://host:1/p",
        ),
        ("me@example.org asks why?", "me@example.org asks why?"),
        ("-H me:pw@host:50051 --host=me:pw@host", "-H …@host:50051 --host=…@host"),
        ("at 10:30 me@example.org", "at 10:30 me@example.org"),
    ],
)
def test_a_url_is_shown_without_its_secrets(text: str, shown: str) -> None:
    """User, password and the values of a query, wherever URLs stand in a text; the rest stays."""
    assert in_urls(text) == shown


@pytest.mark.parametrize("end", ["", "'", '"'])
def test_a_secret_that_was_cut_is_hidden_too(end: str) -> None:
    """An answer that is no HTTP is quoted by its first bytes, which may end within a token."""
    assert without(f"began with b'Bearer {SECRET[:9]}{end}".encode(), [SECRET]).decode() == (
        f"began with b'Bearer (hidden){end}"
    )


@pytest.mark.parametrize(
    "host", ["127.0.0.1.example.org", "127.example.org", "localhost.example.org", "10.0.0.1"]
)
def test_a_name_that_begins_like_this_machine_is_another(host: str) -> None:
    """A token in the clear is refused to it."""
    assert not is_loopback(host)
    with pytest.raises(InputError, match="unencrypted"):
        source(f"http://{host}:5001", bearer_env="T")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine(host: str) -> None:
    """All of 127/8, ::1 and localhost."""
    assert is_loopback(host)


def test_a_token_given_as_the_name_of_a_variable_is_not_shown() -> None:
    """It would be repeated into logs."""
    with pytest.raises(InputError) as refused:
        source(HTTPS, bearer_env="dapi0123secret")
    assert "dapi" not in str(refused.value)


def test_an_endless_file_ends(tmp_path: Path) -> None:
    """Only so much of --bearer-file is read."""
    with pytest.raises(InputError, match="contains a space"):
        source(HTTPS, bearer_file="/dev/zero").load()


@pytest.mark.parametrize(
    "variables",
    [{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"}, {"AWS_PROFILE": "no-such-profile"}],
    ids=["half", "profile"],
)
def test_aws_credentials_that_cannot_be_read(
    variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore's own exceptions are one line."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="sagemaker://"):
        source("sagemaker://mine", region="eu-central-1").load()


@given(st.text(min_size=1, max_size=70))
def test_an_endpoint_is_a_name_or_refused(name: str) -> None:
    """No name leads to another path, host or header."""
    try:
        target = source(f"sagemaker://{name}", region="eu-central-1").target
    except InputError:
        return
    assert target.path == f"/endpoints/{name}/invocations"
    assert name.isascii()
    assert name.replace("-", "").isalnum()


def test_an_endpoint_url_with_a_path_is_refused() -> None:
    """It would be dropped in silence."""
    with pytest.raises(InputError, match="has a path"):
        source("sagemaker://a", region="eu-central-1", endpoint_url="https://localhost:1/x")


@pytest.mark.parametrize(
    "form", [{"bearer_env": "HOME"}, {"body": "/etc/hostname"}, {"host": "https://other.example"}]
)
def test_the_page_sends_no_secret_elsewhere(form: dict[str, str]) -> None:
    """Who can open it can't name a variable, a file or another host for the token."""
    begun = Namespace(bearer_env="MY_TOKEN", body=None, scorebench_host="https://mine.example")
    refuse_what_is_no_field(begun, {"host": "https://mine.example", "rate": "5", "bearer_env": "MY_TOKEN"})
    with pytest.raises(InputError):
        refuse_what_is_no_field(begun, form)
