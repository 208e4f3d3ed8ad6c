"""Signed in by the services' own libraries: the Databricks SDK, azure-identity, against local services."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pandas as pd
import pytest

from scorebench.client.credentials import Source
from scorebench.errors import InputError
from scorebench.options import settings
from tests import requirements
from tests.commands import scorebench
from tests.gateway import Asked, Gateway, Said, Tokens, gateway, scores
from tests.scoring_server import Certificates, certificates
from tests.workspace import Workspace

ID, SECRET = "0a1b2c3d-service-principal", "dose0123456789abcdef-secret"
SCOPE = "https://ml.azure.com/.default"
OTHERS = ("DATABRICKS_TOKEN", "DATABRICKS_CONFIG_PROFILE", "DATABRICKS_HOST", "HTTPS_PROXY", "https_proxy")


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def server(papers: Certificates) -> Iterator[Gateway]:
    with gateway(papers.server, {}) as running:
        yield running


def variables(papers: Certificates, **more: str) -> dict[str, str]:
    """For requests, which SDKs use: whom to trust, and no proxy to this machine."""
    trust = {"REQUESTS_CA_BUNDLE": str(papers.ca), "NO_PROXY": "localhost", "DATABRICKS_CONFIG_FILE": "/none"}
    return trust | more


def oauth_client(server: Gateway) -> dict[str, str]:
    return {
        "DATABRICKS_HOST": server.url,
        "DATABRICKS_CLIENT_ID": ID,
        "DATABRICKS_CLIENT_SECRET": SECRET,
    }


def set_all(monkeypatch: pytest.MonkeyPatch, named: dict[str, str]) -> None:
    for name in OTHERS:
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)


def source(url: str, **options: object) -> Source:
    return settings.from_namespace(Namespace(**options), url).credentials


@pytest.mark.parametrize("optimised", [False, True], ids=["workspace", "route-optimised"])
def test_databricks_by_its_name_alone(tmp_path: Path, papers: Certificates, *, optimised: bool) -> None:
    """`scorebench run databricks://wine`: M2M from the environment, tokens of 2 s over 6 s, not one 401.

    A route-optimised endpoint gets its calls at its own host, with tokens that hold for it alone.
    """
    requirements.module("databricks.sdk")
    tokens = Tokens(ID, SECRET, lifetime_s=2, expected={"scope": "all-apis"})
    with gateway(papers.server, {}) as server, gateway(papers.server, {}) as better:
        workspace = Workspace(server, tokens, "wine", better if optimised else None)
        pd.DataFrame({"a": [1.5, 2.5]}).to_parquet(tmp_path / "rows.parquet")
        words = ["--ca-file", str(papers.ca), "--users", "2", "--rate", "20", "--run-time", "6s"]
        words += ["--data", "rows.parquet"]
        named = variables(papers, **oauth_client(server))
        done = scorebench(tmp_path, "run", "databricks://wine", *words, **named)
        calls = (better if optimised else server).asked(workspace.path)
        elsewhere = (server if optimised else better).asked(workspace.path)
    assert done.code in (0, 4), done.err
    assert set(done.summary["outcomes"]) == {"valid"}
    assert (len(calls) >= 100, elsewhere) == (True, [])
    assert tokens.faults == []
    there = better if optimised else server
    assert done.summary["environment"]["url"] == f"{there.url}{workspace.path}"
    assert done.summary["environment"]["sign_in"] == "Databricks SDK"
    secrets = [SECRET, *tokens.issued, *workspace.exchanged]
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    everything = b"\0".join([*left, done.out.encode(), done.err.encode()])
    assert not [secret for secret in secrets if secret.encode() in everything]


def test_a_profile_of_databricks(
    tmp_path: Path, papers: Certificates, server: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--sign-in-profile` names one in the SDK's file; a personal token has no end, and costs no renewal."""
    requirements.module("databricks.sdk")
    config = tmp_path / "cfg"
    other, mine = "[DEFAULT]\nhost = https://other.example\n", f"[mine]\nhost = {server.url}\n"
    config.write_text(f"{other}{mine}token = dapi01234567\n")
    set_all(monkeypatch, variables(papers) | {"DATABRICKS_CONFIG_FILE": str(config)})
    server.routes["/api/2.0/serving-endpoints/wine"] = lambda _: Said(
        403, {"error_code": "PERMISSION_DENIED"}
    )
    access = source("databricks://wine", sign_in_profile="mine").load()
    assert access.target.url == f"{server.url}/serving-endpoints/wine/invocations"
    assert access.headers(b"", "text/csv") == {"Authorization": "Bearer dapi01234567"}
    assert not access.changes
    assert access.hidden(b"not dapi01234567") == b"not (hidden)"


def test_what_databricks_refuses_is_told(
    papers: Certificates, server: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such endpoint, a wrong secret, no credentials, no host: one line each, and no secret in it."""
    requirements.module("databricks.sdk")
    tokens = Tokens(ID, SECRET, lifetime_s=60, expected={"scope": "all-apis"})
    Workspace(server, tokens, "wine")
    server.routes["/api/2.0/serving-endpoints/none"] = lambda _: Said(
        404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not there"}
    )
    set_all(monkeypatch, variables(papers, **oauth_client(server)))
    assert source("databricks://wine").load().headers(b"", "text/csv")
    with pytest.raises(InputError, match=r"^databricks://none: [^\n]+ has no such serving endpoint$"):
        source("databricks://none").load()
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "another-secret-0123")
    with pytest.raises(InputError, match=r"^databricks://[^\n]*invalid_client") as refused:
        source("databricks://wine").load()
    assert "another-secret" not in str(refused.value)
    monkeypatch.delenv("DATABRICKS_HOST")
    with pytest.raises(InputError, match=r"^databricks://: no host; set DATABRICKS_HOST"):
        source("databricks://wine")
    with pytest.raises(InputError, match="expected the name of a serving endpoint"):
        source("databricks://wine/x?y")


# Microsoft Entra.


def entra(server: Gateway, lifetime_s: int, known: Tokens | None = None) -> list[dict[str, str]]:
    """Entra's token endpoint for a service principal, as Microsoft documents it; what it was asked for.

    Tokens that it issues are `known` from then on.
    """
    forms: list[dict[str, str]] = []
    base = f"{server.url}/tenant-1"

    def issue(asked: Asked) -> Said:
        forms.append(asked.form)
        if asked.form.get("client_secret") != SECRET:
            description = f"AADSTS7000215: Invalid client secret {asked.form.get('client_secret')}"
            return Said(401, {"error": "invalid_client", "error_description": description})
        token = f"entra-token-{len(forms)}-0123456789"
        if known is not None:
            known.issued[token] = time.monotonic() + lifetime_s
        return Said(200, {"token_type": "Bearer", "expires_in": lifetime_s, "access_token": token})

    server.routes["/tenant-1/v2.0/.well-known/openid-configuration"] = lambda _: Said(
        200,
        {
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "issuer": f"{base}/v2.0",
        },
    )
    server.routes["/tenant-1/oauth2/v2.0/token"] = issue
    return forms


def service_principal(server: Gateway, papers: Certificates) -> dict[str, str]:
    return variables(papers) | {
        "AZURE_AUTHORITY_HOST": server.url,
        "AZURE_TENANT_ID": "tenant-1",
        "AZURE_CLIENT_ID": ID,
        "AZURE_CLIENT_SECRET": SECRET,
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    }


def test_a_service_principal_of_entra(
    papers: Certificates, server: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OAuth 2.0 client credentials at the tenant's endpoint, for the scope that was asked for."""
    requirements.module("azure.identity")
    forms = entra(server, 3600)
    set_all(monkeypatch, service_principal(server, papers))
    access = source("https://mine.example/score", entra=SCOPE).load()
    assert access.headers(b"", "text/csv") == {"Authorization": "Bearer entra-token-1-0123456789"}
    (form,) = forms
    assert (form["grant_type"], form["scope"], form["client_id"]) == ("client_credentials", SCOPE, ID)
    assert access.changes
    assert access.hidden(f"{SECRET} entra-token-1-0123456789".encode()) == b"(hidden) (hidden)"


def test_a_run_signs_in_with_entra(tmp_path: Path, papers: Certificates, server: Gateway) -> None:
    """`scorebench run URL --entra SCOPE`: tokens of 2 s over 6 s, each call let in, and no secret left.

    The library asks anew for each token that ends within five minutes, so every look brings a new one.
    """
    requirements.module("azure.identity")
    tokens = Tokens(ID, SECRET, lifetime_s=2)
    entra(server, 2, tokens)
    server.routes["/score"] = tokens.guard(scores)
    words = ["--entra", SCOPE, "--ca-file", str(papers.ca), "--users", "2", "--rate", "20"]
    named = service_principal(server, papers)
    done = scorebench(tmp_path, "run", f"{server.url}/score", *words, "--run-time", "6s", **named)
    calls = server.asked("/score")
    assert done.code in (0, 4), done.err
    assert set(done.summary["outcomes"]) == {"valid"}
    assert len(calls) >= 100
    assert all(tokens.admits(call) for call in calls)
    assert 4 <= len(tokens.issued) <= 10
    assert done.summary["environment"]["sign_in"] == "Microsoft Entra"
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    everything = b"\0".join([*left, done.out.encode(), done.err.encode()])
    assert not [secret for secret in (SECRET, *tokens.issued) if secret.encode() in everything]


def test_what_entra_refuses_is_told(
    papers: Certificates, server: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reason in one line, without the secret that it repeats; a scope that is none before that."""
    requirements.module("azure.identity")
    entra(server, 3600)
    set_all(monkeypatch, service_principal(server, papers) | {"AZURE_CLIENT_SECRET": "another-secret-0123"})
    with pytest.raises(InputError, match=r"^--entra https://ml\.azure\.com/\.default: [^\n]+") as refused:
        source("https://mine.example/score", entra=SCOPE).load()
    assert "another-secret" not in str(refused.value)
    with pytest.raises(InputError, match="expected a scope"):
        source("https://mine.example/score", entra="mine")


def test_a_managed_identity_of_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    """As App Service offers it: GET with the resource and a secret header; the end is a Unix time."""
    requirements.module("azure.identity")
    ends_s = int(time.time()) + 7200
    said = {"access_token": "managed-0123456789", "expires_on": str(ends_s), "token_type": "Bearer"}

    def issue(asked: Asked) -> Said:
        query = parse_qs(asked.path.partition("?")[2])
        rules = query["api-version"] == ["2019-08-01"] and query["resource"] == ["https://ml.azure.com"]
        if not rules or asked.headers.get("x-identity-header") != SECRET:
            return Said(400, {"message": f"{asked.path} {dict(asked.headers)}"})
        return Said(200, said | {"resource": "https://ml.azure.com"})

    with gateway(None, {"/msi/token": issue}) as server:
        set_all(
            monkeypatch,
            {
                "IDENTITY_ENDPOINT": f"{server.url}/msi/token",
                "IDENTITY_HEADER": SECRET,
                "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
                "NO_PROXY": "localhost",
            },
        )
        access = source("https://mine.example/score", entra=SCOPE).load()
    assert access.headers(b"", "text/csv") == {"Authorization": "Bearer managed-0123456789"}
