"""The table of sign-ins: which one is asked for, what is refused, and that a record is all it takes."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pytest
from bench.endpoint_table import table
from bench.paste import pasted

from scorebench.client import sign_ins
from scorebench.client.sign_ins import oauth
from scorebench.client.sign_ins.record import Flag, Grant, Opened, SignIn, Wanted
from scorebench.errors import InputError
from scorebench.options import settings
from scorebench.options.table import OPTIONS
from tests.commands import ROOT
from tests.scoring_server import Record
from tests.test_remote import AWS, signature_of, signed

HTTPS = "https://example.org/score"
OAUTH = "token-url=https://sso.example/token,client-id=me,client-secret-env=SECRET"


def asked(url: str, **options: object) -> settings.Settings:
    return settings.from_namespace(Namespace(**options), url)


def test_the_page_of_endpoints_is_pasted() -> None:
    """Nobody edits the table of docs/endpoints.md by hand."""
    page = (ROOT / "docs" / "endpoints.md").read_text()
    assert pasted(page, "python bench/endpoint_table.py", table(), markdown=True) == page


@pytest.mark.parametrize("one", sign_ins.SIGN_INS, ids=lambda one: one.name)
def test_each_record_is_complete(one: SignIn) -> None:
    """It says what it is for, is asked for by a flag or by a scheme of its own, and its flags are options."""
    assert all((one.name, one.service, one.line, one.needs, one.verified))
    assert one.line.startswith("scorebench run ")
    assert bool(one.flags) or one.scheme
    assert (one.scheme is None) == (one.target is None)
    assert {flag.flag for flag in one.flags} <= {option.flag for option in OPTIONS if option.signs_in}
    assert all(name == name.lower() for name in one.sets)


@pytest.mark.parametrize(
    ("url", "options", "name"),
    [
        (HTTPS, {}, None),
        (HTTPS, {"bearer_env": "TOKEN"}, "bearer token"),
        (HTTPS, {"basic_file": "file"}, "basic"),
        (HTTPS, {"oauth": OAUTH}, "OAuth client credentials"),
        ("sagemaker://mine", {"region": "eu-central-1"}, "AWS SigV4"),
    ],
)
def test_options_and_schemes_choose(url: str, options: dict[str, str], name: str | None) -> None:
    found = asked(url, **options).credentials.sign_in
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        (HTTPS, {"bearer_env": "T", "basic_env": "B"}, "--bearer-env and --basic-env: two sign-ins"),
        (HTTPS, {"oauth": OAUTH, "bearer_file": "f"}, "--bearer-file and --oauth: two sign-ins"),
        ("sagemaker://a", {"region": "eu-west-1", "bearer_env": "T"}, "--bearer-env and sagemaker://: two"),
        (HTTPS, {"basic_env": "A", "basic_file": "b"}, "found both; one password is enough"),
        (HTTPS, {"region": "eu-central-1"}, "--region eu-central-1: only works with sagemaker://NAME"),
        (HTTPS, {"header_env": ["Authorization=T"], "bearer_env": "T"}, "bearer token sets it too"),
        (HTTPS, {"header_env": "Authorization=T", "oauth": OAUTH}, "OAuth client credentials sets it too"),
        ("sagemaker://a", {"region": "eu-west-1", "header": ["x-amz-date: x"]}, "AWS SigV4 sets it too"),
        ("http://10.0.0.1", {"basic_env": "B"}, "basic: http://10.0.0.1: a secret would be sent unencrypted"),
        ("http://10.0.0.1", {"oauth": OAUTH}, "would be sent unencrypted"),
        (HTTPS, {"key": "k.pem"}, "--key k.pem: without --cert"),
        ("http://localhost:1", {"cert": "c.pem"}, "--cert c.pem: http://localhost:1 is not encrypted"),
    ],
)
def test_wrong_combinations_are_refused(url: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+$") as refused:
        asked(url, **options)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("token-url", "found 'token-url'; expected one of token-url"),
        ("user=me", "found 'user'"),
        ("client-id=a,client-secret-env=B", "no token-url="),
        ("token-url=https://a/t,client-secret-env=B", "either client-id= or client-id-env="),
        ("token-url=https://a/t,client-id=a,client-id-env=A,client-secret-env=B", "either client-id="),
        ("token-url=https://a/t,client-id=a", "either client-secret-env= or client-secret-file="),
        ("token-url=https://a/t,client-id=a,client-secret-env=hunter2", "the name of a variable"),
        ("token-url=http://a.example/t,client-id=a,client-secret-env=B", "would be sent unencrypted"),
        (OAUTH + ",client-auth=digest", "expected basic (in a header) or post"),
        (OAUTH + ",authorization-details=[1", "not JSON"),
        (OAUTH + ",scope=", "scope: has no value"),
        (OAUTH + ",client-id=you", "client-id: given twice"),
    ],
)
def test_wrong_oauth_is_refused(text: str, said: str) -> None:
    """One line that names the key, and shows no secret that stands where a name belongs."""
    with pytest.raises(InputError, match=r"^--oauth[^\n]+$") as refused:
        asked(HTTPS, oauth=text)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_values_of_oauth_may_hold_commas() -> None:
    """JSON and scopes do; a part ends where the next key begins."""
    details = json.dumps([{"type": "unity_catalog_permission", "object_path": "/a,b", "scope": "x"}])
    found = oauth.parse(f"{OAUTH},scope=all-apis offline,authorization-details={details},audience=a,b")
    assert dict(found.fields) == {
        "scope": "all-apis offline",
        "authorization_details": details,
        "audience": "a,b",
    }


# The region of sagemaker://, by AWS's own rules: the variable before the profile.

CONFIG = """
[default]
region = eu-west-1
[profile other]
region = us-east-2
"""


@pytest.mark.parametrize(
    ("options", "variables", "region"),
    [
        ({}, {}, "eu-west-1"),
        ({}, {"AWS_PROFILE": "other"}, "us-east-2"),
        ({}, {"AWS_DEFAULT_REGION": "eu-north-1"}, "eu-north-1"),
        ({}, {"AWS_REGION": "ap-south-1", "AWS_DEFAULT_REGION": "eu-north-1"}, "ap-south-1"),
        ({"sign_in_profile": "other"}, {}, "us-east-2"),
        ({"region": "ca-west-1"}, {"AWS_REGION": "ap-south-1"}, "ca-west-1"),
    ],
)
def test_the_region_is_that_of_awss_own_chain(
    options: dict[str, str],
    variables: dict[str, str],
    region: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert asked("sagemaker://mine", **options).target.host == f"runtime.sagemaker.{region}.amazonaws.com"


@pytest.mark.parametrize(
    ("options", "said"),
    [({}, "no region; pass --region"), ({"sign_in_profile": "none"}, "could not be found")],
)
def test_no_region_and_no_profile_are_told(
    options: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(InputError, match=r"^sagemaker://[^\n]+$") as refused:
        asked("sagemaker://mine", **options)
    assert said in str(refused.value)


def test_headers_are_signed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also Host and what replaces ours; the signature is computed again from what would be sent."""
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    headers = ["X-Amzn-SageMaker-Inference-Component: b", "Host: vpc.example", "Accept: text/csv"]
    access = asked("sagemaker://wine", region="eu-west-1", header=headers).credentials.load()
    body = b"1,2"
    head = access.target.request(body, "text/csv", access.headers(body, "text/csv")).partition(b"\r\n\r\n")[0]
    first, *lines = head.decode().split("\r\n")
    sent = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    record = Record(0, 0, 0.0, path=first.split()[1], headers=sent, body=body)
    names = sent["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"accept", "content-type", "host", "x-amzn-sagemaker-inference-component"} <= set(names)
    assert (len(lines), sent["host"]) == (len(sent), "vpc.example")
    assert signed(record) == signature_of(record, "vpc.example", "eu-west-1", AWS["AWS_SECRET_ACCESS_KEY"])


# A sign-in of the test's own.

KNOCK = Flag("--bearer-env", "how to knock", "TIMES")  # an option that is there already


def _knock(wanted: Wanted) -> Opened:
    return Opened(lambda: Grant({"X-Knock": wanted.get(KNOCK) or ""}, ("knock-knock",)))


OWN = SignIn(
    name="knocking",
    service="a door",
    line="scorebench run door://NAME",
    needs="a hand",
    verified="nothing",
    flags=(KNOCK,),
    scheme="door",
    target=lambda wanted: asked(f"https://{wanted.url.removeprefix('door://')}.example").target,
    sets=frozenset({"x-knock"}),
    open=_knock,
)


def test_a_record_is_all_that_a_new_sign_in_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chosen by its scheme, refused beside another, it sets its header, and its secret is hidden."""
    monkeypatch.setattr(sign_ins, "SIGN_INS", (OWN, *sign_ins.SIGN_INS[1:]))
    found = asked("door://red", bearer_env="TWICE")
    assert found.target.url == "https://red.example/invocations"
    access = found.credentials.load()
    assert access.headers(b"", "text/csv") == {"X-Knock": "TWICE"}
    assert access.hidden(b"who is knock-knock?") == b"who is (hidden)?"
    assert f"| {OWN.service} | `{OWN.line}` | {OWN.needs} | {OWN.verified} |" in table()
    with pytest.raises(InputError, match="knocking sets it too"):
        asked("door://red", header=["X-Knock: 3"])
    with pytest.raises(InputError, match="two sign-ins"):
        asked("door://red", basic_env="B")
