"""Remote endpoints over HTTPS: who is let in, and that no secret is seen by anybody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from scorebench.client.access import Access
from scorebench.client.hiding import without
from scorebench.client.renewal import Renewal
from scorebench.client.sign_ins.record import Grant
from scorebench.client.target import Target
from scorebench.errors import InputError
from tests.commands import ROOT, Done, locust, scorebench
from tests.locust_page import ended, get, locust_page, post
from tests.scoring_server import (
    Behaviour,
    Certificates,
    Record,
    Reply,
    certificates,
    replies,
    scoring_server,
)
from tests.test_credentials import source

TOKEN = "dapi-0123456789-a-bearer-token"
ACCESS, SECRET, SESSION = "AKIDEXAMPLE12", "wJalrXUtnFEMI/K7MDENG+secret", "FwoGZXIvYXdzEsession//token=="
AWS = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SESSION}
DATABRICKS = "/serving-endpoints/wine/invocations"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("papers"))


def nobody_saw(secrets: list[str], done: Done) -> None:
    """In nothing that was printed or left."""
    written = [path.read_bytes() for path in done.reports.rglob("*") if path.is_file()]
    assert len(written) >= 5
    for secret in secrets:
        assert secret not in done.out + done.err
        assert not [content for content in written if secret.encode() in content]


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "distributed"])
def test_a_bearer_token_goes_with_each_call(
    tmp_path: Path, papers: Certificates, processes: list[str]
) -> None:
    """Databricks' path is kept, every call carries the token, and it stands nowhere else."""
    with scoring_server(Behaviour(path=DATABRICKS), tls=papers.server) as server:
        url = f"https://localhost:{server.port}{DATABRICKS}"
        words = ["--bearer-env", "MY_TOKEN", "--ca-file", str(papers.ca), "--users", "2", "--calls", "20"]
        done = scorebench(tmp_path, "run", url, *words, *processes, MY_TOKEN=TOKEN)
        log = server.log()
    assert done.ends_with(0), done.err
    assert len(log) == 20
    assert {record.path for record in log} == {DATABRICKS}
    assert {record.headers["authorization"] for record in log} == {f"Bearer {TOKEN}"}
    nobody_saw([TOKEN], done)


def test_an_answer_that_repeats_the_token(tmp_path: Path, papers: Certificates) -> None:
    """A server that says what it was sent: its answer is an example in the report, the token is not."""
    echo = Reply(403, f'{{"error_code": "X", "message": "Bearer {TOKEN} is no good"}}'.encode())
    with scoring_server(Behaviour(script=dict.fromkeys(range(9), echo)), tls=papers.server) as server:
        words = ["--bearer-env", "MY_TOKEN", "--ca-file", str(papers.ca), "--users", "1", "--calls", "5"]
        done = scorebench(tmp_path, "run", f"https://localhost:{server.port}", *words, MY_TOKEN=TOKEN)
    assert done.code == 1
    assert "is no good" in str(done.summary["examples"])
    assert set(done.summary["outcomes"]) == {"unauthorized"}
    nobody_saw([TOKEN], done)


@pytest.mark.parametrize("repeated", [TOKEN, TOKEN[::-1], base64.b64encode(TOKEN.encode()).decode()])
def test_a_token_in_the_query_is_sent_and_not_shown(tmp_path: Path, repeated: str) -> None:
    """The server gets it and sends it back; out, err and files show the name of the value alone."""
    echo = Reply(403, f'{{"error_code": "X", "message": "{repeated} is no good"}}'.encode())
    asked = f"/invocations?key={TOKEN}&v=1"
    with scoring_server(Behaviour(path=asked, default=echo)) as server:
        done = scorebench(tmp_path, "run", server.url + asked, "--users", "1", "--calls", "5")
        assert {record.path for record in server.log() if record.method == "POST"} == {asked}
    assert done.code == 1
    assert "is no good" in str(done.summary["examples"])
    assert done.summary["environment"]["url"] == f"{server.url}/invocations?key=…&v=…"
    assert "/invocations?key=…&v=…" in done.summary["environment"]["command"]
    assert "every user of this machine can read them" in done.err
    assert "--bearer-env" in done.err
    nobody_saw([TOKEN, repeated], done)


def test_plain_locust_takes_it_too(tmp_path: Path, papers: Certificates) -> None:
    """--bearer-file with `locust --headless`."""
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    with scoring_server(tls=papers.server) as server:
        words = [
            "-H",
            f"https://localhost:{server.port}",
            "--bearer-file",
            str(file),
            "--ca-file",
            str(papers.ca),
        ]
        (tmp_path / "locust.conf").write_text("header = [X-Tenant: a, X-Two: b]\n")
        done = locust(
            tmp_path, *words, "--data", str(ROOT / "payloads" / "wine.csv"), "-u", "1", "--calls", "5"
        )
        assert {(one.headers["x-tenant"], one.headers["x-two"]) for one in server.log()} == {("a", "b")}
        assert {record.headers["authorization"] for record in server.log()} == {f"Bearer {TOKEN}"}
    assert done.ends_with(0), done.err
    nobody_saw([TOKEN], done)


# SigV4.


def signature_of(record: Record, host: str, region: str, secret: str) -> str:
    """Recomputed from what the server got, by AWS's own description of SigV4, without botocore."""
    sent = {name: " ".join(value.split()) for name, value in record.headers.items()}
    fields = dict(part.strip().split("=", 1) for part in sent["authorization"].split(" ", 1)[1].split(","))
    names = fields["SignedHeaders"].split(";")
    assert {"host", "x-amz-date"} <= set(names)
    canonical = "\n".join(
        [
            "POST",
            record.path,
            "",
            *(f"{name}:{host if name == 'host' else sent[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(record.body).hexdigest(),
        ]
    )
    stamp = sent["x-amz-date"]
    scope = f"{stamp[:8]}/{region}/sagemaker/aws4_request"
    assert fields["Credential"] == f"{ACCESS}/{scope}"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (stamp[:8], region, "sagemaker", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def signed(record: Record) -> str:
    return record.headers["authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize(
    "load", [[], ["--processes", "2"], ["--rate", "20"]], ids=["closed", "distributed", "open"]
)
def test_every_call_to_sagemaker_has_its_own_signature(
    tmp_path: Path, papers: Certificates, load: list[str]
) -> None:
    """Each equals the one recomputed for its time and body, and goes red for another secret.

    A header of the user's own, such as that of an inference component, is among what is signed.
    """
    region, component = "eu-central-1", "X-Amzn-SageMaker-Inference-Component"
    with scoring_server(Behaviour(path="/endpoints/my-wine/invocations"), tls=papers.server) as server:
        host = f"localhost:{server.port}"
        words = ["--region", region, "--endpoint-url", f"https://{host}", "--ca-file", str(papers.ca)]
        words += ["--users", "2", "--calls", "40", *load, "--header", f"{component}: b"]
        done = scorebench(tmp_path, "run", "sagemaker://my-wine", *words, **AWS)
        log = server.log()
    assert done.code in (0, 4), done.err  # 4: a busy machine, which is not the question here
    assert len(log) == 40
    assert {record.path for record in log} == {"/endpoints/my-wine/invocations"}
    assert {record.headers["x-amz-security-token"] for record in log} == {SESSION}
    assert {record.headers[component.lower()] for record in log} == {"b"}
    assert all(component.lower() in record.headers["authorization"] for record in log)
    assert all(signed(record) == signature_of(record, host, region, SECRET) for record in log)
    assert not any(signed(record) == signature_of(record, host, region, SECRET + "x") for record in log)
    nobody_saw([SECRET, SESSION], done)


def test_signatures_age_with_their_call(tmp_path: Path, papers: Certificates) -> None:
    """A run of over a second signs with more than one time."""
    with scoring_server(Behaviour(path="/endpoints/wine/invocations"), tls=papers.server) as server:
        url = f"https://localhost:{server.port}"
        words = [
            "--region",
            "eu-central-1",
            "--endpoint-url",
            url,
            "--ca-file",
            str(papers.ca),
            "--users",
            "1",
        ]
        done = scorebench(
            tmp_path, "run", "sagemaker://wine", *words, "--rate", "10", "--run-time", "3s", **AWS
        )
        assert len({record.headers["x-amz-date"] for record in server.log()}) >= 2
    assert done.code in (0, 4), done.err


REFRESHES = """
import datetime, json, pathlib, sys
count = pathlib.Path(sys.argv[1])
number = len(count.read_text()) if count.exists() else 0
count.write_text("x" * (number + 1))
if number >= int(sys.argv[2]):
    sys.exit("the vault is sealed")
soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
print(json.dumps({"Version": 1, "AccessKeyId": f"AKIDEXAMPLE{number}", "SecretAccessKey": "refreshed-secret",
                  "SessionToken": f"session-{number}" + "\\n" * int(sys.argv[3]),
                  "Expiration": soon.isoformat()}))
"""


def refreshing(tmp_path: Path, papers: Certificates, port: int, *, good_for: int, breaks: int = 0) -> Done:
    """Six seconds at 10/s, with credentials of 3 s from a program that has some `good_for` times.

    botocore runs it twice before the first call: to have credentials, and because they end so soon.
    """
    program = tmp_path / "vault.py"
    program.write_text(REFRESHES)
    process = f"{sys.executable} {program} {tmp_path / 'count'} {good_for} {breaks}"
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {process}\n")
    words = ["--region", "eu-central-1", "--endpoint-url", f"https://localhost:{port}"]
    words += ["--ca-file", str(papers.ca), "--users", "1", "--rate", "10", "--run-time", "6s", "--quiet"]
    own = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    return scorebench(tmp_path, "run", "sagemaker://wine", *words, **own)


def test_credentials_that_expire_are_refreshed(tmp_path: Path, papers: Certificates) -> None:
    """The program is asked ahead of each end, between calls, and each call carries credentials that hold.

    6 s with credentials of 3 s, renewed after three quarters: two renewals, or three.
    """
    with scoring_server(Behaviour(path="/endpoints/wine/invocations"), tls=papers.server) as server:
        done = refreshing(tmp_path, papers, server.port, good_for=1000)
        tokens = [record.headers["x-amz-security-token"] for record in server.log()]
    assert done.code in (0, 4), done.err
    assert set(done.summary["outcomes"]) == {"valid"}
    assert 3 <= len(set(tokens)) <= 4
    assert sorted(tokens) == tokens
    nobody_saw(["refreshed-secret", *tokens], done)


def test_credentials_that_can_not_be_refreshed(tmp_path: Path, papers: Certificates) -> None:
    """Calls that can't be signed are failures of their own name, and did not leave; the run goes on."""
    with scoring_server(Behaviour(path="/endpoints/wine/invocations"), tls=papers.server) as server:
        done = refreshing(tmp_path, papers, server.port, good_for=2)
        sent = len(server.log())
    outcomes = done.summary["outcomes"]
    assert done.code == 1, done.err
    assert done.summary["verdict"]["valid"] is False
    # The credentials end 3 s after they were given, which is before the first of the 6 s; on a busy machine
    # starting takes that long.
    assert outcomes.get("valid", 0) == sent <= 35
    assert set(outcomes) - {"valid"} == {"not signed in"}
    assert "the vault is sealed" in str(done.summary["examples"])
    (finding,) = [one for one in done.summary["verdict"]["findings"] if one["code"] == "not_signed_in"]
    assert "in minute 1 of the run" in finding["text"]
    assert "the vault is sealed" in finding["text"]
    assert "Traceback" not in done.err
    nobody_saw(["refreshed-secret"], done)


def test_credentials_that_no_header_holds(tmp_path: Path, papers: Certificates) -> None:
    """A session token with a line break adds no header of its own: nothing is sent."""
    with scoring_server(Behaviour(path="/endpoints/wine/invocations"), tls=papers.server) as server:
        done = refreshing(tmp_path, papers, server.port, good_for=1000, breaks=1)
        assert not server.log()
    assert done.code == 1, done.err
    assert set(done.summary["outcomes"]) == {"not signed in"}


def test_a_token_that_expires_during_the_run(tmp_path: Path, papers: Certificates) -> None:
    """401 from the sixth call on: counted as unauthorized, not as calls that score."""
    with scoring_server(
        Behaviour(script=dict.fromkeys(range(5, 10), replies.UNAUTHORIZED)), tls=papers.server
    ) as server:
        words = ["--bearer-env", "MY_TOKEN", "--ca-file", str(papers.ca), "--users", "1", "--calls", "10"]
        done = scorebench(tmp_path, "run", f"https://localhost:{server.port}", *words, MY_TOKEN=TOKEN)
        assert len(server.log()) == 10
    assert done.code == 1
    assert done.summary["outcomes"] == {"valid": 5, "unauthorized": 5}


def test_a_redirect_takes_the_token_nowhere(tmp_path: Path, papers: Certificates) -> None:
    """A 307 to another server is an outcome; nobody goes there, with the token or without."""
    with scoring_server(tls=papers.server) as other:
        away = Reply(307, b"", headers=(("Location", f"https://localhost:{other.port}/invocations"),))
        with scoring_server(Behaviour(default=away), tls=papers.server) as server:
            words = ["--bearer-env", "MY_TOKEN", "--ca-file", str(papers.ca), "--users", "1", "--calls", "3"]
            done = scorebench(tmp_path, "run", f"https://localhost:{server.port}", *words, MY_TOKEN=TOKEN)
            assert len(server.log()) == 3
        assert not other.log()
    assert done.code == 1
    assert done.summary["outcomes"] == {"unexpected status": 3}


def test_no_process_has_the_secret_in_its_arguments(tmp_path: Path, papers: Certificates) -> None:
    """While a run goes on, no command line on this machine holds the token."""
    with scoring_server(tls=papers.server) as server:
        words = [
            "--bearer-env",
            "MY_TOKEN",
            "--ca-file",
            str(papers.ca),
            "--users",
            "1",
            "--run-time",
            "4s",
            "--quiet",
        ]
        command = [sys.executable, "-m", "scorebench", "run", f"https://localhost:{server.port}", *words]
        with subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"MY_TOKEN": TOKEN}) as process:
            end_s = time.monotonic() + 20
            while not server.log() and time.monotonic() < end_s:
                time.sleep(0.05)
            assert server.log()
            lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
            assert any(b"scorebench" in line for line in lines)
            assert not [line for line in lines if TOKEN.encode() in line]
            process.wait(40)


def test_no_process_of_ours_has_the_query_in_its_arguments(tmp_path: Path) -> None:
    """The command that was typed has it; what it starts has not."""
    asked = f"/invocations?key={TOKEN}"
    with scoring_server(Behaviour(path=asked)) as server:
        words = ["run", server.url + asked, "--users", "1", "--run-time", "4s", "--quiet", "--processes", "1"]
        command = [sys.executable, "-m", "scorebench", *words]
        with subprocess.Popen(command, cwd=tmp_path) as process:
            server.wait_for_calls(1, timeout_s=60)
            ours = [
                process.pid,
                *(child.pid for child in psutil.Process(process.pid).children(recursive=True)),
            ]
            lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in ours}
            process.wait(60)
    assert len(lines) > 1
    assert [pid for pid, line in lines.items() if TOKEN.encode() in line] == [process.pid]


def test_locusts_page_shows_no_secret(tmp_path: Path, papers: Certificates) -> None:
    """A server that repeats the token in its refusals: nothing that the page gets or logs has it."""
    echo = Reply(403, f"Bearer {TOKEN} is no good".encode())
    file = tmp_path / "token"
    file.write_text(TOKEN)
    with scoring_server(Behaviour(default=echo), tls=papers.server) as server:
        words = ["--bearer-file", str(file), "--ca-file", str(papers.ca), "--calls", "5"]
        with locust_page(tmp_path, f"https://localhost:{server.port}", *words) as url:
            assert post(f"{url}/swarm", user_count=1, spawn_rate=1)["success"]
            run = ended(url)["runs"][0]["name"]
            pages = ["/", "/stats/requests", "/stats/report", "/exceptions", "/tasks", "/logs"]
            pages += ["/stats/requests/csv", "/stats/failures/csv", "/exceptions/csv", "/scorebench/state"]
            told = {page: get(url + page) for page in pages}
        assert {record.headers["authorization"] for record in server.log()} == {f"Bearer {TOKEN}"}
    assert {status for status, _, _ in told.values()} == {200}
    assert "unauthorized" in told["/stats/failures/csv"][1]
    assert not [page for page, answer in told.items() if TOKEN in str(answer)]
    assert "is no good" in (tmp_path / "reports" / run / "summary.json").read_text()
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != file]
    assert not [path for path in left if TOKEN.encode() in path.read_bytes()]


# Wrong input.


@pytest.mark.parametrize(
    ("target", "words", "variables", "said"),
    [
        ("https://localhost:1", ["--bearer-env", "T"], {}, "--bearer-env T: the variable is not set"),
        ("https://localhost:1", ["--bearer-env", "T"], {"T": " "}, "--bearer-env T: the variable is empty"),
        ("https://localhost:1", ["--bearer-env", "T"], {"T": "a\nb: c"}, "contains a space, a line break"),
        ("https://localhost:1", ["--bearer-file", "none"], {}, "--bearer-file none: No such file"),
        ("https://localhost:1", ["--bearer-env", "T", "--bearer-file", "x"], {"T": "t"}, "found both"),
        ("http://example.org", ["--bearer-env", "T"], {"T": TOKEN}, "unencrypted"),
        ("https://localhost:1", ["--region", "eu-central-1"], {}, "only works with sagemaker://NAME"),
        ("http://localhost:1", ["--ca-file", "ca.pem"], {}, "is not encrypted; leave it out"),
        ("sagemaker://a", ["--region", "here"], {}, "expected a region of AWS"),
        ("sagemaker://a/b", ["--region", "eu-central-1"], {}, "expected the name of an endpoint"),
        ("sagemaker://a", ["--region", "eu-central-1", "--bearer-env", "T"], {"T": "t"}, "two sign-ins"),
        ("https://u:p4ssw0rd@localhost:1", [], {}, "use --bearer-env"),
    ],
)
def test_wrong_input_is_one_line_without_a_secret(
    tmp_path: Path, target: str, words: list[str], variables: Mapping[str, str], said: str
) -> None:
    """Exit 2, what and where; no value of a variable, nothing left."""
    done = scorebench(tmp_path, "run", target, *words, "--calls", "1", **variables)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert said in done.err
    assert not done.reports.exists() or not list(done.reports.iterdir())
    for value in [*variables.values(), "p4ssw0rd"]:
        assert len(value) < 4 or value not in done.err


def test_a_token_in_the_clear_goes_to_this_machine_alone() -> None:
    """http:// is allowed to a loopback address."""
    for url in ("http://localhost:5001", "http://127.0.0.1:1", "http://[::1]:1", "https://example.org"):
        source(url, bearer_env="T")
    with pytest.raises(InputError, match="unencrypted"):
        source("http://10.0.0.1:5001", bearer_env="T")


def test_regions_of_china_have_a_suffix_of_their_own() -> None:
    """runtime.sagemaker.REGION.amazonaws.com, and .cn there."""
    assert source("sagemaker://a", region="eu-central-1").target.url == (
        "https://runtime.sagemaker.eu-central-1.amazonaws.com/endpoints/a/invocations"
    )
    assert source("sagemaker://a", region="cn-north-1").target.host.endswith(".amazonaws.com.cn")


def test_secrets_are_hidden_wherever_they_stand() -> None:
    """The longer first, so that none leaves a rest; a short one is not looked for."""
    assert without(b"x secret-long secret y", ["secret", "secret-long"]) == b"x (hidden) (hidden) y"
    assert without(b"abc", ["abc"]) == b"abc"
    said = bearer().hidden(f"said {TOKEN}{TOKEN}".encode())
    assert b"tok" not in said.replace(b"(hidden)", b"")


def test_credentials_do_not_show_themselves() -> None:
    """In a traceback or a log."""
    known: Any = bearer()
    assert TOKEN not in repr((known, vars(known)))


def bearer() -> Access:
    """What lets calls in by a token."""
    grant = Grant({"Authorization": f"Bearer {TOKEN}"}, (TOKEN,))
    return Access(Target.parse("https://localhost"), {}, [Renewal(lambda: grant)])
