"""AWS SigV4 for SageMaker endpoints, by botocore. The only module that imports it; knows no Locust.

Credentials come from botocore's own chain (environment, profile, container, instance), session tokens
included, and are asked for anew with each call, so that those that expire are refreshed.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.hiding import without
from scorebench.client.target import DEFAULT_PATH, Target
from scorebench.errors import InputError

SERVICE = "sagemaker"
SCHEME = "sagemaker://"
_REMEMBERED = 8
"""Credentials are refreshed meanwhile; an answer may still show those before."""
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_ENDPOINT = re.compile(r"[A-Za-z0-9](?:-*[A-Za-z0-9]){0,62}")


def endpoint_target(url: str, region: str | None, endpoint_url: str | None) -> Target:
    """`sagemaker://ENDPOINT` → where its calls go. `endpoint_url` replaces AWS's own address."""
    name = url.removeprefix(SCHEME)
    if not _ENDPOINT.fullmatch(name):
        raise InputError(
            f"{SCHEME}: found {name[:80]!r}; expected the name of an endpoint, as in sagemaker://mine"
        )
    if not region:
        raise InputError(f"{url}: needs a region, such as --region eu-central-1")
    if not _REGION.fullmatch(region):
        raise InputError(f"--region {region!r}: expected a region of AWS, such as eu-central-1")
    path = f"/endpoints/{name}/invocations"
    if endpoint_url is None:
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return Target("https", f"runtime.sagemaker.{region}.{suffix}", 443, path)
    base = Target.parse(endpoint_url)
    if base.path != DEFAULT_PATH:
        raise InputError(f"--endpoint-url {base.url}: has a path; expected only https://HOST")
    return Target(base.scheme, base.host, base.port, path)


class Signature:
    """Signs each call for its time and body."""

    per_call = True

    def __init__(self, region: str) -> None:
        try:
            import botocore.exceptions
            import botocore.session
        except ImportError:
            raise InputError(
                "sagemaker://: botocore is not installed; pip install 'scorebench[aws]'"
            ) from None
        # It would print a traceback for each refresh that failed, of which the outcome tells.
        logging.getLogger("botocore").setLevel(logging.CRITICAL)
        self._region = region
        self._seen: deque[tuple[str, str, str]] = deque(maxlen=_REMEMBERED)
        try:
            self._credentials: Any = botocore.session.get_session().get_credentials()
        except botocore.exceptions.BotoCoreError as problem:  # half of a pair, no such profile
            raise InputError(f"sagemaker://: {problem}") from None
        if self._credentials is None:
            raise InputError(
                "sagemaker://: no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or a profile"
            )
        try:
            self._frozen()
        except CallFailed as failure:
            raise InputError(f"sagemaker://: {failure}") from None

    def headers(self, target: Target, body: bytes, content_type: str) -> Mapping[str, str]:
        """Authorization, X-Amz-Date and, where there is one, X-Amz-Security-Token.

        CallFailed where AWS's chain has no credentials any more, or such as no header can hold.
        """
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        frozen = self._frozen()
        signed = {"Host": target.netloc, "Content-Type": content_type}
        request = AWSRequest(method="POST", url=target.url, data=body, headers=signed)
        SigV4Auth(frozen, SERVICE, self._region).add_auth(request)
        headers = {name: value for name, value in request.headers.items() if name not in signed}
        if not all(" " <= letter <= "~" for value in headers.values() for letter in value):
            raise CallFailed(Outcome.NOT_SIGNED, "a line break or another sign that no header holds in them")
        return headers

    def _frozen(self) -> Any:
        """The credentials of this moment. Their refreshing asks AWS, or a file, or a program: it may fail."""
        try:
            frozen = self._credentials.get_frozen_credentials()
        except Exception as problem:  # botocore lets through what its providers meet: sockets, JSON, programs
            raise CallFailed(Outcome.NOT_SIGNED, f"AWS credentials: {problem}") from None
        if frozen.access_key is None or frozen.secret_key is None:
            raise CallFailed(Outcome.NOT_SIGNED, "AWS credentials: there are none any more")
        seen = (frozen.secret_key, frozen.token or "", frozen.access_key)
        if seen not in self._seen:
            self._seen.append(seen)
        return frozen

    def hidden(self, said: bytes) -> bytes:
        return without(said, [secret for seen in self._seen for secret in seen])
