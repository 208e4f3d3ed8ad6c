"""SageMaker: SigV4 by botocore, with the region and credentials of AWS's own chain. The only botocore here.

The chain is environment, profile, container, instance. It is asked between calls and ahead of the end of what
it gave; each call is signed for its own time and body.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from scorebench import extras
from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.places import SignInFailed
from scorebench.client.sign_ins.record import Flag, Grant, Opened, SignIn, Wanted
from scorebench.client.sign_ins.shared import PROFILE
from scorebench.client.target import DEFAULT_PATH, Target
from scorebench.errors import InputError

SERVICE, SCHEME = "sagemaker", "sagemaker"
REGION = Flag(
    "--region", "AWS region of a sagemaker:// endpoint (default: that of AWS's own chain)", "REGION"
)
ENDPOINT_URL = Flag("--endpoint-url", "use this URL for a sagemaker:// endpoint instead of AWS's", "URL")
LOOK_AGAIN_S = 5.0
"""For credentials without an end that the chain may replace, such as a profile that is written again."""
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_ENDPOINT = re.compile(r"[A-Za-z0-9](?:-*[A-Za-z0-9]){0,62}")


def target_of(wanted: Wanted) -> Target:
    """`sagemaker://ENDPOINT` → where its calls go. `--endpoint-url` replaces AWS's own address."""
    name, endpoint_url = wanted.url.removeprefix(f"{SCHEME}://"), wanted.get(ENDPOINT_URL)
    if not _ENDPOINT.fullmatch(name):
        raise InputError(
            f"{SCHEME}://: found {name[:80]!r}; expected the name of an endpoint, as in sagemaker://mine"
        )
    region = _region_of(wanted)
    path = f"/endpoints/{name}/invocations"
    if endpoint_url is None:
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return Target("https", f"runtime.sagemaker.{region}.{suffix}", 443, path)
    base = Target.parse(endpoint_url)
    if base.path != DEFAULT_PATH:
        raise InputError(f"--endpoint-url {base.url}: has a path; expected only https://HOST")
    return Target(base.scheme, base.host, base.port, path)


def _region_of(wanted: Wanted) -> str:
    """That of `--region`, else of AWS's own chain: AWS_REGION, AWS_DEFAULT_REGION, the profile."""
    region, place = wanted.get(REGION), "--region"
    if region is None:
        region, place = _session(wanted).get_config_variable("region"), "the region of AWS's configuration,"
    if not region:
        raise InputError(
            f"{wanted.url}: no region; pass --region eu-central-1, or set AWS_REGION or the profile's region"
        )
    if not _REGION.fullmatch(region):
        raise InputError(f"{place} {region!r}: expected a region of AWS, such as eu-central-1")
    return str(region)


def _session(wanted: Wanted) -> Any:
    """botocore's session for the profile. InputError where there is no botocore, or no such profile."""
    try:
        import botocore.exceptions
        import botocore.session
    except ImportError:
        raise InputError(f"sagemaker://: botocore is not installed; {extras.install('aws')}") from None
    # It would print a traceback for each refresh that failed, of which the outcome tells.
    logging.getLogger("botocore").setLevel(logging.CRITICAL)
    session = botocore.session.Session(profile=wanted.get(PROFILE))
    # AWS's other tools read both; botocore reads the second alone.
    names = ["AWS_REGION", "AWS_DEFAULT_REGION"]
    session.session_var_map["region"] = ("region", names, None, None)
    try:
        session.get_scoped_config()
    except botocore.exceptions.BotoCoreError as problem:
        raise InputError(f"sagemaker://: {problem}") from None
    return session


def _open(wanted: Wanted) -> Opened:
    from botocore.exceptions import BotoCoreError

    session, region = _session(wanted), _region_of(wanted)
    try:
        credentials = session.get_credentials()
    except BotoCoreError as problem:  # half of a pair, no such profile
        raise InputError(f"sagemaker://: {problem}") from None
    if credentials is None:
        raise InputError(
            "sagemaker://: no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        )
    return Opened(lambda: _grant(credentials, region))


def _grant(credentials: Any, region: str) -> Grant:
    """The credentials of this moment. Their refreshing asks AWS, or a file, or a program: it may fail."""
    try:
        frozen = credentials.get_frozen_credentials()
    except Exception as problem:  # botocore lets through what its providers meet: sockets, JSON, programs
        raise SignInFailed(f"AWS credentials: {problem}") from None
    if frozen.access_key is None or frozen.secret_key is None:
        raise SignInFailed("AWS credentials: there are none any more")
    ends = getattr(credentials, "_expiry_time", None)  # of those that expire; botocore has no public name
    lifetime_s = (ends - datetime.now(UTC)).total_seconds() if ends else None

    def sign(target: Target, body: bytes, headers: Mapping[str, str]) -> Mapping[str, str]:
        return signed(frozen, region, target, body, headers)

    return Grant(
        {},
        (frozen.secret_key, frozen.token or "", frozen.access_key),
        lifetime_s=lifetime_s,
        look_again_s=LOOK_AGAIN_S,
        sign=sign,
    )


def signed(
    frozen: Any, region: str, target: Target, body: bytes, headers: Mapping[str, str]
) -> Mapping[str, str]:
    """Authorization, X-Amz-Date and, where there is one, X-Amz-Security-Token; `headers` are signed too.

    CallFailed where credentials are such as no header can hold.
    """
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    given = {"Host": target.netloc, **headers}
    request = AWSRequest(method="POST", url=target.url, data=body, headers=given)
    SigV4Auth(frozen, SERVICE, region).add_auth(request)
    made = {name: value for name, value in request.headers.items() if name not in given}
    if not all(" " <= letter <= "~" for value in made.values() for letter in value):
        raise CallFailed(Outcome.NOT_SIGNED_IN, "a line break or another sign that no header holds in them")
    return made


SAGEMAKER = SignIn(
    name="AWS SigV4",
    service="Amazon SageMaker",
    line="scorebench run sagemaker://ENDPOINT",
    needs="the extra `aws`; credentials and region by AWS's own chain, or `--sign-in-profile` and `--region`",
    verified="a local HTTPS server that computes each signature again by AWS's description of SigV4",
    flags=(REGION, ENDPOINT_URL, PROFILE),
    scheme=SCHEME,
    target=target_of,
    sets=frozenset({"authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}),
    open=_open,
)
