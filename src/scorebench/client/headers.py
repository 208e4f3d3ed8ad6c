"""Headers that a user adds to each call: parsed, checked, and read from where they stand. Sends nothing.

Names may be shown. Values never are: only the user knows which of them is a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scorebench.client.places import Place, SignInFailed
from scorebench.client.target import is_latin
from scorebench.errors import InputError

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name: RFC 9110, section 5.6.2, `token`."""
_NEXT = re.compile(r",\s*(?=[A-Za-z][\w-]*:\s)")
"""What separates headers in one field of a form: a comma with a name and its colon behind it."""
_FRAMING = (
    *("content-length", "transfer-encoding", "te", "trailer"),
    *("connection", "keep-alive", "proxy-connection", "upgrade", "expect"),
)
REFUSED = {
    **dict.fromkeys(_FRAMING, "frames the message, so scorebench sets it itself"),
    "accept-encoding": "would compress the answers, which scorebench reads as they are",
}
"""Names that can't be set, and why."""
LIKE_A_SECRET = re.compile(
    r"authori[sz]ation|cookie|token|secret|passw|credential|(?:api|access|subscription|function|auth)[-_]?key",
    re.IGNORECASE,
)
PLAIN, FROM_VARIABLE, FROM_FILE = "--header", "--header-env", "--header-file"
KNOWN_TO_ALL = frozenset({"host", "accept", "content-type"})
"""Headers whose values are no secrets: they are looked for in no answer."""


@dataclass(frozen=True)
class Headers:
    """What was asked for: values as typed, and the names of variables and files with the rest."""

    plain: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    variables: tuple[tuple[str, str], ...] = ()
    """(header, variable)."""
    files: tuple[Path, ...] = ()

    @classmethod
    def of(cls, plain: object, variables: object, files: object) -> Headers:
        """From the values of the three options: lists, or from a form one text. InputError."""
        typed = [_parsed(text, PLAIN) for text in _several(plain)]
        for name, _ in typed:
            if LIKE_A_SECRET.search(name):
                raise InputError(
                    f"{PLAIN} {name}: other users of this machine can see it; put the value in a variable "
                    f"and pass {FROM_VARIABLE} {name}=VARIABLE"
                )
        named = [_variable(text) for text in _several(variables)]
        found = cls(tuple(typed), tuple(named), tuple(Path(text) for text in _several(files)))
        _once(name for name, _ in (*found.plain, *found.variables))
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are known without reading a file."""
        return tuple(name for name, _ in (*self.plain, *self.variables))

    @property
    def secret_flag(self) -> str | None:
        """The option that names a secret, if one does."""
        return FROM_VARIABLE if self.variables else FROM_FILE if self.files else None

    def read(self) -> dict[str, str]:
        """Those from variables and files, as they are now. InputError says which is missing or wrong."""
        read = [
            (name, checked(name, Place(FROM_VARIABLE, variable=variable).read("a value"), FROM_VARIABLE))
            for name, variable in self.variables
        ]
        for path in self.files:
            read += _in_file(path)
        _once([*(name for name, _ in self.plain), *(name for name, _ in read)])
        return dict(read)


def _several(given: object) -> Sequence[str]:
    if not given:
        return ()
    return _NEXT.split(given) if isinstance(given, str) else [str(one) for one in given]  # type: ignore[attr-defined]


def _parsed(text: str, flag: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        # Not shown: it may be the value alone.
        raise InputError(f"{flag}: no colon in it; expected 'Name: value', such as 'X-Tenant: a'")
    return checked_name(name.strip(), flag), checked(name.strip(), value, flag)


def _variable(text: str) -> tuple[str, str]:
    name, equals, variable = text.partition("=")
    if not equals:
        raise InputError(f"{FROM_VARIABLE}: no = in it; expected Name=VARIABLE, such as X-Api-Key=MY_KEY")
    Place(FROM_VARIABLE, variable=variable.strip()).check()
    return checked_name(name.strip(), FROM_VARIABLE), variable.strip()


def _in_file(path: Path) -> Iterator[tuple[str, str]]:
    place = Place(FROM_FILE, file=path)
    for number, line in enumerate(place.read("headers, one a line").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                yield _parsed(line, FROM_FILE)
            except InputError as error:
                raise SignInFailed(f"{FROM_FILE} {path}, line {number}: {_rest(error)}") from None


def _rest(error: InputError) -> str:
    return str(error).removeprefix(FROM_FILE).lstrip(": ")


def checked_name(name: str, flag: str) -> str:
    """`name`, where a header may be called so and may be set. InputError."""
    if not NAME.fullmatch(name):
        raise InputError(f"{flag}: no name of a header before the colon; expected 'Name: value'")
    if why := REFUSED.get(name.lower()):
        raise InputError(f"{flag} {name}: {why}; leave it out")
    return name


def checked(name: str, value: str, flag: str) -> str:
    """`value` without the white space around it, where a header can hold it. The error does not show it."""
    value = value.strip(" \t")
    if not value:
        raise InputError(f"{flag} {name}: no value; expected 'Name: value'")
    if not is_latin(value):
        raise InputError(
            f"{flag} {name}: a line break, a control character or a letter outside Latin-1 in its value; "
            "expected one line of Latin text"
        )
    return value


def _once(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise InputError(f"{PLAIN} {name}: given twice; keep one")
        seen.add(name.lower())


def secrets_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The values that may be secrets."""
    return tuple(value for name, value in headers.items() if name.lower() not in KNOWN_TO_ALL)
