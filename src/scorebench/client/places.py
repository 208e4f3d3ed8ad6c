"""Where a secret stands: in a variable or in a file. Reads it anew each time; keeps and shows none."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from scorebench.errors import InputError

MOST_BYTES = 65_536
_CAPITALS = re.compile(r"[A-Z_][A-Z0-9_]*")


class SignInFailed(InputError):
    """Nobody could be signed in now, and why. Before the run that is wrong input; later it is tried again."""


@dataclass(frozen=True)
class Place:
    """A variable or a file, and the option that named it."""

    flag: str
    variable: str | None = None
    file: Path | None = None

    def check(self) -> None:
        """InputError for what can be no variable's name; it may be the secret, so it is not shown."""
        if self.variable is not None and not _CAPITALS.fullmatch(self.variable):
            raise InputError(f"{self.flag}: expected the name of a variable, in capitals, such as MY_TOKEN")

    def __str__(self) -> str:
        if self.variable is not None:
            return f"{self.flag} {self.variable}: the variable"
        return f"{self.flag} {self.file}: the file"

    def read(self, what: str = "a token") -> str:
        """What stands there, without the white space around it. SignInFailed where there is nothing."""
        text = os.environ.get(self.variable or "") if self.file is None else self._in_file(self.file, what)
        if text is None:
            raise SignInFailed(f"{self} is not set; expected {what} in it")
        if not text.strip():
            raise SignInFailed(f"{self} is empty; expected {what} in it")
        return text.strip()

    def _in_file(self, path: Path, what: str) -> str:
        try:
            with path.open("rb") as file:
                return file.read(MOST_BYTES).decode("utf-8")
        except UnicodeDecodeError:
            raise SignInFailed(f"{self} is not UTF-8 text; expected {what} in it") from None
        except OSError as problem:
            raise SignInFailed(
                f"{self.flag} {path}: {problem.strerror}; expected a file with {what}"
            ) from None


def one_word(text: str, place: Place, what: str = "one token") -> str:
    """`text`, where it is one word of ASCII that a header can hold. SignInFailed does not show it."""
    if not all("!" <= letter <= "~" for letter in text):
        raise SignInFailed(
            f"{place} contains a space, a line break or another invalid character; expected {what}"
        )
    return text
