"""Databricks: `databricks://NAME`, signed in by the Databricks SDK. The only module that imports it.

The SDK finds host and credentials (environment, profile, M2M, Azure, a CLI). A route-optimised endpoint has a
host and tokens of its own: the endpoint's description says so, and the SDK exchanges the token for one of it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from scorebench import extras
from scorebench.client.hiding import without
from scorebench.client.places import SignInFailed
from scorebench.client.sign_ins.record import Grant, Opened, SignIn, Wanted
from scorebench.client.sign_ins.shared import PROFILE
from scorebench.client.target import Target
from scorebench.errors import InputError

SCHEME = "databricks"
TIMEOUT_S = 10
LOOK_AGAIN_S = 5.0
"""For headers of which the SDK does not say when they end; it renews them by itself."""
SECRETS = ("token", "client_secret", "password", "azure_client_secret", "google_credentials")
"""Attributes of the SDK's configuration that are never shown."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def _name_of(wanted: Wanted) -> str:
    name = wanted.url.removeprefix(f"{SCHEME}://")
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{SCHEME}://: found {name[:80]!r}; expected the name of a serving endpoint, as in {SCHEME}://mine"
        )
    return name


def target_of(wanted: Wanted) -> Target:
    """The workspace's path to the endpoint; whether there is a better way to it is asked when signing in."""
    name, config = _name_of(wanted), _config(wanted, signs_in=False)
    return Target.parse(f"{config.host}/serving-endpoints/{name}/invocations")


def _nobody(_: Any) -> Callable[[], dict[str, str]]:
    """The SDK's strategy for a configuration that signs nobody in."""
    return dict


def _config(wanted: Wanted, *, signs_in: bool = True) -> Any:
    """The SDK's configuration. InputError where there is no SDK, or it finds no host or no credentials.

    Without `signs_in` it asks nobody, and only knows its host.
    """
    try:
        from databricks.sdk.core import Config
        from databricks.sdk.credentials_provider import credentials_strategy
    except ImportError:
        raise InputError(
            f"{SCHEME}://: the Databricks SDK is not installed; {extras.install('databricks')}"
        ) from None
    # What fails is in the outcome and in the finding; its warnings may quote what a server said.
    logging.getLogger("databricks.sdk").setLevel(logging.CRITICAL)

    Config.attributes()  # a subclass has those that its base has found, and finds none by itself

    class HostAlone(Config):  # type: ignore[misc]
        def _resolve_host_metadata(self) -> None:
            """The SDK would ask the host how to sign in there."""

    kind, strategy = (Config, None) if signs_in else (HostAlone, credentials_strategy("nobody", [])(_nobody))
    try:
        config = kind(
            profile=wanted.get(PROFILE),
            credentials_strategy=strategy,
            http_timeout_seconds=TIMEOUT_S,
            retry_timeout_seconds=TIMEOUT_S,
            disable_async_token_refresh=True,  # we renew: the SDK would tell nobody of its failures
            product="scorebench",
            product_version="0",
        )
    except Exception as problem:  # the SDK's, requests' and those of whoever signs in
        raise InputError(f"{SCHEME}://: {_reason(problem)}") from None
    if not config.host:
        raise InputError(f"{SCHEME}://: no host; set DATABRICKS_HOST, or a profile with --sign-in-profile")
    return config


def _reason(problem: Exception, secrets: tuple[str, ...] = ()) -> str:
    """The first sentence of an error, in a line. The SDK adds its configuration to it."""
    text = " ".join(str(problem).split()).partition(". Config:")[0][:300]
    hidden = without(text.encode("utf-8", "replace"), secrets) if secrets else text.encode("utf-8", "replace")
    return hidden.decode("utf-8", "replace") or type(problem).__name__


def _open(wanted: Wanted) -> Opened:
    from databricks.sdk.core import ApiClient
    from databricks.sdk.errors import DatabricksError, NotFound

    name, config = _name_of(wanted), _config(wanted)
    secrets = tuple(value for one in SECRETS if (value := getattr(config, one, None)))
    try:
        described = ApiClient(config).do("GET", f"/api/2.0/serving-endpoints/{name}")
    except NotFound:
        raise InputError(f"{SCHEME}://{name}: {config.host} has no such serving endpoint") from None
    except DatabricksError:
        described = {}  # who may only query it is not told what it is: it is called by the workspace
    except Exception as problem:
        raise InputError(f"{SCHEME}://{name}: {_reason(problem, secrets)}") from None
    info = ((described or {}).get("data_plane_info") or {}).get("query_info") or {}
    if info.get("endpoint_url") and info.get("authorization_details"):
        return _route_optimised(config, info["endpoint_url"], info["authorization_details"], secrets)
    return Opened(lambda: _grant(config, secrets))


def _grant(config: Any, secrets: tuple[str, ...]) -> Grant:
    """The workspace's headers: a personal token, or one of OAuth with its end."""
    try:
        token = _token_of(config)
        headers = dict(config.authenticate())  # of that token, or of a newer one
    except Exception as problem:
        raise SignInFailed(f"{SCHEME}://: {_reason(problem, secrets)}") from None
    values = tuple(value.partition(" ")[2] or value for value in headers.values())
    lifetime_s = None if token is None else _left_s(token.expiry)
    again_s = LOOK_AGAIN_S if lifetime_s is None and config.auth_type != "pat" else None
    return Grant(headers, (*values, *secrets), lifetime_s=lifetime_s, look_again_s=again_s)


def _token_of(config: Any) -> Any:
    try:
        return config.oauth_token()
    except ValueError:  # no OAuth: a personal token, or user and password
        return None


def _left_s(expiry: datetime | None) -> float | None:
    return None if expiry is None else (expiry - datetime.now(tz=expiry.tzinfo)).total_seconds()


def _route_optimised(config: Any, url: str, details: str, secrets: tuple[str, ...]) -> Opened:
    from databricks.sdk.data_plane import DataPlaneTokenSource

    target = Target.parse(url)
    target.refuse_in_the_clear(f"{SCHEME}://")
    source = DataPlaneTokenSource(config.host, config.oauth_token)

    def fetch() -> Grant:
        try:
            token = source.token(url, details)
        except Exception as problem:
            raise SignInFailed(f"{SCHEME}://: {_reason(problem, secrets)}") from None
        headers = {"Authorization": f"Bearer {token.access_token}"}
        return Grant(headers, (token.access_token, *secrets), lifetime_s=_left_s(token.expiry))

    return Opened(fetch, target)


DATABRICKS = SignIn(
    name="Databricks SDK",
    service="Databricks Model Serving, route-optimised endpoints too",
    line="scorebench run databricks://ENDPOINT",
    needs="the extra `databricks`; host and credentials as the SDK finds them (`DATABRICKS_HOST`, a profile, "
    "an OAuth client), or `--sign-in-profile`",
    verified="the real SDK against a local HTTPS server with the workspace's OIDC, token exchange and "
    "description of the endpoint, as Databricks documents them",
    flags=(PROFILE,),
    scheme=SCHEME,
    target=target_of,
    open=_open,
)
