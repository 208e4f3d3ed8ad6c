"""AWS SigV4 for SageMaker endpoints, by botocore. The only module that imports it; knows no Locust.

Credentials come from botocore's own chain (environment, profile, container, instance), session tokens
included, and are asked for anew with each call, so that those that expire are refreshed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from scorebench.credentials import without
from scorebench.errors import InputError
from scorebench.target import DEFAULT_PATH, Target

SERVICE = "sagemaker"
SCHEME = "sagemaker://"
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
        raise InputError(f"{url}: in which region? Give --region, such as --region eu-central-1")
    if not _REGION.fullmatch(region):
        raise InputError(f"--region {region!r}: expected a region of AWS, such as eu-central-1")
    path = f"/endpoints/{name}/invocations"
    if endpoint_url is None:
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return Target("https", f"runtime.sagemaker.{region}.{suffix}", 443, path)
    base = Target.parse(endpoint_url)
    if base.path != DEFAULT_PATH:
        raise InputError(f"--endpoint-url {base.url}: has a path; expected https://HOST alone")
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
        self._region = region
        try:
            self._credentials: Any = botocore.session.get_session().get_credentials()
        except botocore.exceptions.BotoCoreError as problem:  # half of a pair, no such profile
            raise InputError(f"sagemaker://: {problem}") from None
        if self._credentials is None:
            raise InputError(
                "sagemaker://: no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or a profile"
            )

    def headers(self, target: Target, body: bytes, content_type: str) -> Mapping[str, str]:
        """Authorization, X-Amz-Date and, where there is one, X-Amz-Security-Token."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        signed = {"Host": target.netloc, "Content-Type": content_type}
        request = AWSRequest(method="POST", url=target.url, data=body, headers=signed)
        SigV4Auth(self._credentials.get_frozen_credentials(), SERVICE, self._region).add_auth(request)
        return {name: value for name, value in request.headers.items() if name not in signed}

    def hidden(self, said: bytes) -> bytes:
        frozen = self._credentials.get_frozen_credentials()
        return without(said, [frozen.secret_key, frozen.token or "", frozen.access_key])
