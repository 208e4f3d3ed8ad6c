"""What a sign-in is: a record, what it is asked with, and what it grants. Knows no service, and no clock.

To add one, write a record in a module of its own and add it to `SIGN_INS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorebench.client.target import Target


@dataclass(frozen=True)
class Flag:
    """An option of a sign-in. Its value names where a secret is; it never is one."""

    flag: str
    help: str
    metavar: str

    @property
    def name(self) -> str:
        """What the option is called in Python."""
        return self.flag.removeprefix("--").replace("-", "_")


@dataclass(frozen=True)
class Wanted:
    """What a sign-in was asked with: the `url` as typed, and the values of its flags, by name."""

    url: str
    values: tuple[tuple[str, str], ...] = ()
    ca_file: Path | None = None
    """Authorities that the user trusts besides the system's."""

    def get(self, flag: Flag) -> str | None:
        """The value of `flag`; None where it was not given."""
        return dict(self.values).get(flag.name)


Sign = Callable[["Target", bytes, Mapping[str, str]], Mapping[str, str]]
"""(target, body, the call's other headers) → the headers that sign it. CallFailed where it can't."""


@dataclass(frozen=True)
class Grant:
    """What lets calls in for a time."""

    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    """What must be seen in no output; two grants with the same secrets are the same."""
    lifetime_s: float | None = None
    """From the moment in which it was asked for. None: it has no end that anybody knows."""
    look_again_s: float | None = None
    """For what has no end and may change all the same, such as a file: when to look again."""
    may_end: bool = False
    """It ends at a time that nobody told: a refusal of the service is the first that is heard of it."""
    sign: Sign | None = field(default=None, repr=False)
    """For a sign-in that signs each call by its time and body."""


@dataclass(frozen=True)
class Opened:
    """A sign-in in one process: `fetch` asks for a grant; it may take seconds, and raises SignInFailed."""

    fetch: Callable[[], Grant]
    target: Target | None = None
    """Where calls go; None: where the URL says."""


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """One way to sign in. `line`, `needs` and `verified` are the words of docs/endpoints.md, in Markdown."""

    name: str
    """What reports call it."""
    service: str
    """Where it is used."""
    line: str
    """What to type."""
    needs: str
    verified: str
    """What tests hold it against."""
    flags: tuple[Flag, ...] = ()
    scheme: str | None = None
    """It signs in to URLs such as SCHEME://NAME, and to no other."""
    target: Callable[[Wanted], Target] | None = None
    """With a `scheme`: where calls go. InputError for a name that can be none."""
    sets: frozenset[str] = frozenset({"authorization"})
    """The headers that it sets, in lower case: nobody else can."""
    check: Callable[[Wanted], object] = id
    """InputError for what is wrong without looking at any secret."""
    open: Callable[[Wanted], Opened]
    """Prepares to sign in, in the process that sends. InputError for what is missing."""

    def is_asked(self, wanted: Wanted) -> bool:
        """Whether `wanted` is for this sign-in."""
        if self.scheme is not None:
            return wanted.url.startswith(f"{self.scheme}://")
        return any(wanted.get(flag) is not None for flag in self.flags)
