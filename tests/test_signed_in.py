"""Signed in by local HTTPS services that issue short tokens, replace them, refuse, and count."""

from __future__ import annotations

import base64
import itertools
import threading
import time
from pathlib import Path

import pytest

from scorebench.client.places import SignInFailed
from scorebench.client.sign_ins.basic import BASIC
from scorebench.client.sign_ins.oauth import CLIENT_CREDENTIALS
from scorebench.client.sign_ins.record import Grant, SignIn, Wanted
from tests.commands import Done, scorebench
from tests.gateway import Asked, Gateway, Said, Tokens, basic, gateway, scores
from tests.scoring_server import Certificates, certificates

ID, SECRET, KEY = "client/1", "s3cr3t+of/the client=", "api-key-0123456789"
DETAILS = '[{"type": "workspace_permission", "object_type": "serving-endpoints", "actions": ["query"]}]'
VARIABLES = {"ID": ID, "SECRET": SECRET.replace(" ", "-"), "KEY": KEY}
SECRET = VARIABLES["SECRET"]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("papers"))


def fetch(sign_in: SignIn, papers: Certificates, **values: str) -> Grant:
    """What the sign-in grants in this process."""
    return sign_in.open(Wanted("https://localhost", tuple(values.items()), papers.ca)).fetch()


def oauth(url: str, more: str = "") -> str:
    return f"token-url={url}/token,client-id-env=ID,client-secret-env=SECRET{more}"


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize(
    ("more", "expected", "in_body"),
    [
        ("", {}, False),
        (",client-auth=post", {}, True),
        (
            f",scope=all-apis x,audience=https://a.example,authorization-details={DETAILS}",
            {"scope": "all-apis x", "audience": "https://a.example", "authorization_details": DETAILS},
            False,
        ),
    ],
    ids=["header", "body", "fields"],
)
def test_a_token_is_asked_for_by_the_rules(
    papers: Certificates, more: str, expected: dict[str, str], in_body: bool
) -> None:
    """RFC 6749: a POST, form-encoded, id and secret encoded before they become Basic; RFC 9396's field."""
    tokens = Tokens(ID, SECRET, lifetime_s=60, expected=expected, in_body=in_body)
    with gateway(papers.server, {"/token": tokens.issue}) as server:
        grant = fetch(CLIENT_CREDENTIALS, papers, oauth=oauth(server.url, more))
    assert tokens.faults == []
    (token,) = tokens.issued
    assert grant.headers == {"Authorization": f"Bearer {token}"}
    assert (grant.lifetime_s, set(grant.secrets)) == (60, {token, SECRET})


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Said(401, {"error": "invalid_client", "error_description": f"no {SECRET}!"}), "401 invalid_client"),
        (Said(500, ["x"]), '500 ["x"]'),
        (Said(307, {}), "307"),
        (Said(200, {"token": "x"}), "200 without an access_token"),
        (Said(200, ["access_token"]), "200 without an access_token"),
        (Said(200, {"access_token": "a\r\nX: b"}), "not one that a header can hold"),
        (Said(200, {"access_token": "abc", "token_type": "mac"}), "a token_type other than bearer"),
        (Said(200, {"access_token": "abc", "expires_in": 0}), "no time left"),
        (Said(200, {"access_token": "abc", "expires_in": "soon"}), "200 without"),
    ],
)
def test_what_is_no_token_is_a_reason(papers: Certificates, said: Said, reason: str) -> None:
    """In one line, and without the secret that the answer repeats."""
    with (
        gateway(papers.server, {"/token": lambda _: said}) as server,
        pytest.raises(SignInFailed, match=r"^--oauth token-url=[^\n]+$") as failed,
    ):
        fetch(CLIENT_CREDENTIALS, papers, oauth=oauth(server.url))
    assert reason in str(failed.value)
    assert SECRET not in str(failed.value)


@pytest.mark.usefixtures("variables")
def test_a_token_service_that_nobody_vouches_for_gets_no_secret(papers: Certificates) -> None:
    """TLS is verified: without the authority's certificate nothing is sent."""
    with gateway(papers.server, {"/token": lambda _: Said(200)}) as server:
        wanted = Wanted("https://localhost", (("oauth", oauth(server.url)),))
        with pytest.raises(SignInFailed, match="certificate verify failed"):
            CLIENT_CREDENTIALS.open(wanted).fetch()
        assert server.log == []


@pytest.mark.parametrize("text", ["user", ":pw", "us\ner:pw"])
def test_what_is_no_user_and_password_is_told(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the place; the text is not shown."""
    monkeypatch.setenv("BOTH", text)
    with pytest.raises(SignInFailed, match=r"--basic-env BOTH: .*expected user:password") as failed:
        BASIC.open(Wanted("https://localhost", (("basic_env", "BOTH"),))).fetch()
    assert "pw" not in str(failed.value)


def run(tmp_path: Path, server: Gateway, papers: Certificates, *words: str, **variables: str) -> Done:
    asked = ["--ca-file", str(papers.ca), "--users", "2", *words]
    return scorebench(tmp_path, "run", f"{server.url}/score", *asked, **VARIABLES, **variables)


def nobody_saw(done: Done, tmp_path: Path, *secrets: str) -> None:
    """No byte that is left or printed holds one, in whatever form a header has it."""
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(left) >= 5
    everything = b"\0".join([*left, done.out.encode(), done.err.encode()])
    for secret in secrets:
        for form in (secret.encode(), base64.b64encode(secret.encode()).rstrip(b"=")):
            assert form not in everything


def echo(asked: Asked) -> Said:
    """What a careless service does: it sends back what it got."""
    return Said(400, {"error_code": "X", "message": f"no good: {dict(asked.headers)}"})


def test_tokens_of_two_seconds_carry_a_run_of_twelve(tmp_path: Path, papers: Certificates) -> None:
    """The compressed form of 15 minutes over tokens of 60 s: not one 401, and no more tokens than needed.

    A token is renewed after 1.5 s: 12 s need 8 of them in the process that sends. The master of the run
    asked for the first. Each call has a token that was good when it came, by the service's own clock.
    """
    tokens = Tokens(ID, SECRET, lifetime_s=2.0)
    routes = {"/token": tokens.issue, "/score": tokens.guard(scores)}
    with gateway(papers.server, routes) as server:
        words = ["--oauth", oauth(server.url), "--rate", "20", "--run-time", "12s"]
        words += ["--header", "X-Tenant: tenant-of-mine", "--header-env", "X-Api-Key=KEY"]
        done = run(tmp_path, server, papers, *words)
    calls = server.asked("/score")
    assert done.code in (0, 4), done.err
    assert set(done.summary["outcomes"]) == {"valid"}
    assert len(calls) >= 200
    assert all(tokens.admits(call) for call in calls)
    assert 7 <= len(tokens.issued) <= 11
    assert tokens.faults == []
    assert {call.headers["x-api-key"] for call in calls} == {KEY}
    assert {call.headers["x-tenant"] for call in calls} == {"tenant-of-mine"}
    assert done.summary["environment"]["sign_in"] == "OAuth client credentials"
    assert done.summary["environment"]["headers"] == ["X-Tenant", "X-Api-Key"]
    nobody_saw(done, tmp_path, SECRET, KEY, "tenant-of-mine", *tokens.issued)


def test_a_renewal_that_fails_ends_the_calls_and_not_the_run(tmp_path: Path, papers: Certificates) -> None:
    """From the third token on the service refuses, and repeats the secret: calls end as `not signed in`."""
    tokens = Tokens(ID, SECRET, lifetime_s=2.0)

    def issue(asked: Asked) -> Said:
        if len(tokens.issued) >= 3:
            tokens.refuses = f"the account of {SECRET} is closed"
        return tokens.issue(asked)

    with gateway(papers.server, {"/token": issue, "/score": tokens.guard(scores)}) as server:
        words = ["--oauth", oauth(server.url), "--rate", "20", "--run-time", "9s"]
        done = run(tmp_path, server, papers, *words)
    outcomes = done.summary["outcomes"]
    assert done.code == 1, done.err
    assert set(outcomes) == {"valid", "not signed in"}
    assert outcomes["valid"] == len(server.asked("/score"))
    assert done.summary["verdict"]["valid"] is False
    (finding,) = [one for one in done.summary["verdict"]["findings"] if one["code"] == "not_signed_in"]
    assert f"{outcomes['not signed in']} calls were not sent" in finding["text"]
    assert "in minute 1 of the run" in finding["text"]
    assert "invalid_client" in finding["text"]
    nobody_saw(done, tmp_path, SECRET, *tokens.issued)


def test_a_file_that_is_replaced_is_read_again(tmp_path: Path, papers: Certificates) -> None:
    """User and password, and a header, each in a file that changes during the run; the service takes both."""
    both, headers = tmp_path / "both", tmp_path / "headers"
    both.write_text("me:password-one\n")
    headers.write_text("X-Api-Key: first-key-0123\n")
    seen: list[tuple[str, str]] = []

    def score(asked: Asked) -> Said:
        seen.append((basic(asked)[1], asked.headers["x-api-key"]))
        return echo(asked) if len(seen) % 10 == 9 else scores(asked)

    def replace() -> None:
        while not seen:
            time.sleep(0.05)
        time.sleep(1)
        for path, text in ((both, "me:password-two"), (headers, "X-Api-Key: second-key-0123")):
            new = path.with_suffix(".new")
            new.write_text(text)
            new.replace(path)

    replacing = threading.Thread(target=replace, daemon=True)
    replacing.start()
    with gateway(papers.server, {"/score": score}) as server:
        words = ["--basic-file", str(both), "--header-file", str(headers), "--rate", "10", "--run-time", "5s"]
        done = run(tmp_path, server, papers, *words)
    replacing.join()
    both.unlink()
    headers.unlink()
    assert set(seen) >= {("password-one", "first-key-0123"), ("password-two", "second-key-0123")}
    assert set(done.summary["outcomes"]) == {"valid", "rejected"}
    assert "no good" in str(done.summary["examples"])
    secrets = ["password-one", "password-two", "me:password-one", "first-key-0123", "second-key-0123"]
    nobody_saw(done, tmp_path, *secrets)


def test_the_client_shows_its_certificate(tmp_path: Path, papers: Certificates) -> None:
    """Mutual TLS: a service that asks for a certificate gets it from each connection, and from the probe."""
    mine = certificates(tmp_path, "client.example")
    with gateway(papers.server, {"/score": scores, "/version": lambda _: Said(200)}, mine.ca) as server:
        done = run(tmp_path, server, papers, "--calls", "10", "--cert", str(mine.server), "--quiet")
        (tmp_path / "without").mkdir()
        refused = run(tmp_path / "without", server, papers, "--calls", "2")
    assert done.ends_with(0), done.err
    assert len(server.asked("/score")) == 10
    assert all(call.peer for call in server.log)
    assert refused.code == 2, refused.err
    key = mine.server.read_text().partition("KEY-----\n")[2].partition("\n-----")[0].splitlines()
    mine.server.unlink()
    assert len(key) >= 3
    nobody_saw(done, tmp_path, *key[1:-1])


def test_a_certificate_that_is_renewed_is_shown(tmp_path: Path, papers: Certificates) -> None:
    """A certificate of an hour gets a successor in the same file: each new connection shows that one.

    In between the file holds half a certificate: connections go on with the one before.
    """
    both, shown = tmp_path / "both", tmp_path / "client.pem"
    both.mkdir()
    found = []
    for name in ("one.example", "two.example"):
        (both / name).mkdir()
        found.append(certificates(both / name, name))
    trusted = both / "ca.pem"
    trusted.write_bytes(b"".join(one.ca.read_bytes() for one in found))
    first, second = (one.server.read_bytes() for one in found)
    shown.write_bytes(first)

    def replace() -> None:
        while not server.asked("/score"):
            time.sleep(0.05)
        time.sleep(1)
        shown.write_bytes(second[: len(second) // 2])
        time.sleep(1.5)
        shown.write_bytes(second)

    with gateway(papers.server, {"/score": scores}, trusted, keeps_alive=False) as server:
        replacing = threading.Thread(target=replace, daemon=True)
        replacing.start()
        done = run(tmp_path, server, papers, "--cert", str(shown), "--rate", "10", "--run-time", "7s")
        replacing.join()
    assert done.code in (0, 4), done.err
    assert set(done.summary["outcomes"]) == {"valid"}
    peers = [call.peer for call in server.asked("/score")]
    assert peers[0] == "one.example"
    assert peers[-1] == "two.example"
    assert sum(one != two for one, two in itertools.pairwise(peers)) == 1


def test_a_token_that_is_revoked_is_renewed_at_once(tmp_path: Path, papers: Certificates) -> None:
    """401 for a token whose end nobody told: the next calls have a new one, and a finding tells.

    Without it the token would stay, and about 80 calls of these five seconds would be refused.
    """
    tokens = Tokens(ID, SECRET, lifetime_s=3600)

    def issue(asked: Asked) -> Said:
        said = tokens.issue(asked)
        assert isinstance(said.content, dict)
        del said.content["expires_in"]
        return said

    def score(asked: Asked) -> Said:
        if len(server.asked("/score")) == 20:
            tokens.issued.update(dict.fromkeys(tokens.issued, 0.0))
        return tokens.guard(scores)(asked)

    with gateway(papers.server, {"/token": issue, "/score": score}) as server:
        words = ["--oauth", oauth(server.url), "--rate", "20", "--run-time", "5s"]
        done = run(tmp_path, server, papers, *words)
    outcomes = done.summary["outcomes"]
    assert done.code == 1, done.err
    assert set(outcomes) == {"valid", "unauthorized"}
    assert outcomes["unauthorized"] <= 20
    assert outcomes["valid"] >= 60
    (finding,) = [one for one in done.summary["verdict"]["findings"] if one["code"] == "sign_in_refused"]
    assert "a new one was asked for at once" in finding["text"]
    nobody_saw(done, tmp_path, SECRET, *tokens.issued)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cert", "none.pem"], "--cert none.pem: No such file"),
        (["--cert", "ca.pem", "--key", "none.pem"], "--key none.pem: No such file"),
        (["--cert", "ca.pem"], "--cert ca.pem: "),
        (["--cert", "ca.pem", "--key", "other.pem"], "--key other.pem: "),
    ],
)
def test_wrong_certificates_are_told(tmp_path: Path, words: list[str], said: str) -> None:
    """Before the first call, by the option and the file."""
    from scorebench.client.tls import Certificate, client_context
    from scorebench.errors import InputError

    mine, other = certificates(tmp_path), tmp_path / "other"
    other.mkdir()
    certificates(other).server.rename(tmp_path / "other.pem")
    named = dict(zip(words[::2], words[1::2], strict=True))
    key = tmp_path / named["--key"] if "--key" in named else None
    with pytest.raises(InputError, match=r"^--[^\n]+$") as refused:
        client_context(mine.ca, Certificate(tmp_path / named["--cert"], key))
    assert said in str(refused.value).replace(f"{tmp_path}/", "")
