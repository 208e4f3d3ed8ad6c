"""Is a server there, and what does it say of itself? One GET before the run. Posts nothing."""

from __future__ import annotations

import os
from pathlib import Path

from scorebench.answers.http_message import Answer, CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.connection import Connection
from scorebench.client.target import Target
from scorebench.client.tls import Certificate, client_context
from scorebench.client.watchdog import Watchdog
from scorebench.errors import InputError

TIMEOUT_S = 5.0
_ABSENT = frozenset(
    {Outcome.CONNECTION_REFUSED, Outcome.CONNECT_TIMEOUT, Outcome.CONNECTION_FAILED, Outcome.TLS_FAILED}
)
_SILENT = _ABSENT | {Outcome.CONNECTION_RESET, Outcome.CONNECTION_CLOSED, Outcome.CLIENT_TIMEOUT}
_PLAIN = "the port does not speak TLS; if it is plain HTTP, write http:// in the URL"
_NAME = "the certificate is for another host; write the name in the URL that it was issued for"
_TLS_ADVICE = (
    ("certificate has expired", "the server needs a new certificate, or this machine's clock is wrong"),
    ("not yet valid", "this machine's clock may be wrong, or the certificate is for later"),
    ("Hostname mismatch", _NAME),
    ("IP address mismatch", _NAME),
    ("WRONG_VERSION_NUMBER", _PLAIN),
    ("HTTP_REQUEST", _PLAIN),
    ("RECORD_LAYER_FAILURE", _PLAIN),
)
"""What OpenSSL says, and what to do about it."""
_UNKNOWN_AUTHORITY = "give the authority's certificate with --ca-file"
_VERSION_BYTES = 100
_MOST_BYTES = 65_536


def server_version(
    target: Target, ca_file: Path | None = None, certificate: Certificate | None = None
) -> str | None:
    """What GET /version answers (MLflow's version); None where it says nothing of use.

    InputError where no connection can be had: nobody listens, the name is unknown, TLS does not verify.
    """
    try:
        answer = _asked(target, ca_file, certificate)
    except CallFailed as failure:
        if failure.outcome in _ABSENT:
            raise InputError(_nobody_there(target, failure)) from None
        return None
    if answer is None or answer.status != 200 or len(answer.body) > _VERSION_BYTES:
        return None
    text = answer.body.decode("utf-8", "replace").strip().strip('"')
    return text if text.isprintable() and text else None


def silence(
    target: Target, ca_file: Path | None = None, certificate: Certificate | None = None
) -> str | None:
    """Why GET /version gets no answer: nobody listens, or nobody speaks. None after any answer."""
    try:
        _asked(target, ca_file, certificate)
    except CallFailed as failure:
        return str(failure) if failure.outcome in _SILENT else None
    return None


def _asked(target: Target, ca_file: Path | None, certificate: Certificate | None) -> Answer | None:
    connection = Connection(
        target,
        Watchdog(),
        timeout_s=TIMEOUT_S,
        connect_timeout_s=TIMEOUT_S,
        max_answer_bytes=_MOST_BYTES,
        tls=client_context(ca_file, certificate) if target.scheme == "https" else None,
    )
    try:
        return connection.call(target.get("/version"))
    finally:
        connection.close()


def _nobody_there(target: Target, failure: CallFailed) -> str:
    if failure.outcome is Outcome.TLS_FAILED:
        advised = (advice for fault, advice in _TLS_ADVICE if fault in str(failure))
        return f"{target.base_url}: {failure}; {next(advised, _UNKNOWN_AUTHORITY)}"
    start = (
        "start one with `scorebench serve webserver`" if _is_local(target) else "check the host and the port"
    )
    return f"{target.base_url}: no server there ({failure}); {start}, or name another URL"


def _is_local(target: Target) -> bool:
    return (
        target.host in ("localhost", "::1")
        or target.host.startswith("127.")
        or os.uname().nodename == target.host
    )
