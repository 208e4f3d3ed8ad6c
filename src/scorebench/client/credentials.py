"""Headers that let a request in: bearer token, AWS SigV4. Nothing else sees a secret.

What is asked for is a `Source`, which holds names alone and may be shown; `load` gives the secret itself, in
each process from its own environment, so that none travels from a master to its workers.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from scorebench.client.hiding import query_values, without
from scorebench.errors import InputError

if TYPE_CHECKING:
    from scorebench.client.target import Target

MOST_TOKEN_BYTES = 65_536
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class Credentials(Protocol):
    """`per_call`: the headers are another for each call, since they hold its time and a hash of its body."""

    @property
    def per_call(self) -> bool: ...

    def headers(self, target: Target, body: bytes, content_type: str) -> Mapping[str, str]: ...

    def hidden(self, said: bytes) -> bytes:
        """`said`, an answer that may be shown, without the secrets in it."""
        ...


@dataclass(frozen=True)
class Open:
    """No credentials are needed."""

    per_call: bool = False

    def headers(self, target: Target, body: bytes, content_type: str) -> Mapping[str, str]:  # noqa: ARG002
        return {}

    def hidden(self, said: bytes) -> bytes:
        return said


class Bearer:
    """A token that every call carries."""

    per_call = False

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self, target: Target, body: bytes, content_type: str) -> Mapping[str, str]:  # noqa: ARG002
        return {"Authorization": f"Bearer {self._token}"}

    def hidden(self, said: bytes) -> bytes:
        return without(said, [self._token])


class WithQuery:
    """Credentials for a URL with a query, whose values are hidden too: they may be secrets."""

    def __init__(self, credentials: Credentials, query: str) -> None:
        self._credentials = credentials
        self._values = query_values(query)
        self.per_call = credentials.per_call
        self.headers = credentials.headers

    def hidden(self, said: bytes) -> bytes:
        return without(self._credentials.hidden(said), self._values)


@dataclass(frozen=True)
class Source:
    """Where credentials come from: at most one of a variable, a file, and AWS's own chain, for a region."""

    variable: str | None = None
    file: Path | None = None
    aws_region: str | None = None
    query: str = field(default="", repr=False)
    """The query of the URL; it is sent anyway, and hidden in what is shown."""

    def check(self, target: Target) -> None:
        """InputError for two at once, and for a token in the clear."""
        if self.variable and self.file:
            raise InputError("--bearer-env and --bearer-file: found both; one token is enough. Keep one.")
        if self.aws_region and (self.variable or self.file):
            raise InputError("--bearer-env: sagemaker:// is signed with AWS credentials; leave it out")
        wanted = self.variable or self.file or self.aws_region
        if wanted and target.scheme != "https" and not is_loopback(target.host):
            raise InputError(f"{target.base_url}: credentials would be sent unencrypted; use https://")

    def load(self) -> Credentials:
        """The credentials, secrets and all. InputError names what is missing, and never shows a value."""
        found = self._load()
        return WithQuery(found, self.query) if self.query else found

    def _load(self) -> Credentials:
        if self.variable is not None and not _VARIABLE.fullmatch(self.variable):
            # Not shown: it may be a token that was given where its variable's name belongs.
            raise InputError("--bearer-env: expected the name of a variable, in capitals, such as MY_TOKEN")
        if self.aws_region is not None:
            from scorebench.client.aws import Signature

            return Signature(self.aws_region)
        if self.variable is not None:
            value, place = os.environ.get(self.variable), f"--bearer-env {self.variable}: the variable"
        elif self.file is not None:
            value, place = _read(self.file), f"--bearer-file {self.file}: the file"
        else:
            return Open()
        if value is None:
            raise InputError(f"{place} is not set; expected a token in it")
        return Bearer(_checked(value.strip(), place))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_TOKEN_BYTES).decode("ascii")
    except OSError as problem:
        raise InputError(f"--bearer-file {path}: {problem.strerror}; expected a file with a token") from None
    except UnicodeDecodeError:
        raise InputError(f"--bearer-file {path}: not plain ASCII; expected a file with a token") from None


def _checked(token: str, place: str) -> str:
    if not token:
        raise InputError(f"{place} is empty; expected a token in it")
    if not all("!" <= letter <= "~" for letter in token):
        raise InputError(
            f"{place} contains a space, a line break or another invalid character; expected one token"
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name; 127.0.0.1.example.org is somebody else's
        return host == "localhost"
