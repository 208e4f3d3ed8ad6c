"""Microsoft Entra, by azure-identity: the only module that imports it. Knows the scope that was asked for.

The library finds who signs in: a service principal in the environment, a workload identity, a managed
identity, or a developer's own tools.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any
from urllib.parse import urlsplit

from scorebench import extras
from scorebench.client.hiding import without
from scorebench.client.places import SignInFailed
from scorebench.client.sign_ins.record import Flag, Grant, Opened, SignIn, Wanted
from scorebench.errors import InputError

ENTRA = Flag(
    "--entra",
    "sign in with Microsoft Entra for this scope, such as https://ml.azure.com/.default",
    "SCOPE",
)
SECRETS = ("AZURE_CLIENT_SECRET", "AZURE_PASSWORD", "IDENTITY_HEADER")
"""Variables whose values are never shown."""
AUTHORITY = "AZURE_AUTHORITY_HOST"
PUBLIC = (".microsoftonline.com", ".microsoftonline.us", ".chinacloudapi.cn", ".partner.microsoftonline.cn")


def _check(wanted: Wanted) -> None:
    scope = wanted.get(ENTRA) or ""
    if any(letter.isspace() for letter in scope) or not scope.endswith("/.default"):
        raise InputError(f"--entra {scope[:80]!r}: expected a scope, such as https://ml.azure.com/.default")


def _open(wanted: Wanted) -> Opened:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise InputError(f"--entra: azure-identity is not installed; {extras.install('azure')}") from None
    # What fails is in the outcome and in the finding.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    logging.getLogger("msal").setLevel(logging.CRITICAL)
    options = {} if _is_public() else {"disable_instance_discovery": True}
    credential = DefaultAzureCredential(retry_total=1, **options)
    return Opened(lambda: _grant(credential, wanted.get(ENTRA) or ""))


def _is_public() -> bool:
    """Whether Microsoft knows the authority; it can't vouch for one of a private cloud."""
    named = os.environ.get(AUTHORITY, "")
    try:
        host = urlsplit(named if "://" in named else f"//{named}").hostname or "login.microsoftonline.com"
    except ValueError:
        raise InputError(
            f"--entra: the variable {AUTHORITY} holds no host; expected one such as login.microsoftonline.com"
        ) from None
    return host.endswith(PUBLIC)


def _grant(credential: Any, scope: str) -> Grant:
    secrets = tuple(value for name in SECRETS if (value := os.environ.get(name)))
    try:
        token = credential.get_token(scope)
    except Exception as problem:  # the library's, MSAL's, and those of the tools that it asks
        text = " ".join(str(problem).split())[:300]
        hidden = without(text.encode("utf-8", "replace"), secrets).decode("utf-8", "replace")
        raise SignInFailed(f"--entra {scope}: {hidden}") from None
    headers = {"Authorization": f"Bearer {token.token}"}
    return Grant(headers, (token.token, *secrets), lifetime_s=token.expires_on - time.time())


AZURE_ENTRA = SignIn(
    name="Microsoft Entra",
    service="Azure ML online endpoints, and what else Entra guards",
    line="scorebench run https://NAME.REGION.inference.ml.azure.com/score --entra https://ml.azure.com/.default",
    needs="the extra `azure`; who signs in as azure-identity finds it. With an endpoint's key: "
    "`--bearer-env`",
    verified="the real library against local servers with the token endpoints of Entra and of a managed "
    "identity, as Microsoft documents them",
    flags=(ENTRA,),
    check=_check,
    open=_open,
)
