"""The end of a log, safe to print: a log is hostile input, so control characters are removed."""

from __future__ import annotations

import re
from pathlib import Path

_TAIL_BYTES = 65_536
_LINE_CHARACTERS = 1_000
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def tail_of_file(path: Path, lines: int) -> str:
    """The last `lines` lines of a file, at most 64 kB; "" if there is none."""
    try:
        with path.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - _TAIL_BYTES))
            return tail(log.read(), lines)
    except FileNotFoundError:
        return ""


def tail(text: bytes, lines: int) -> str:
    """The last `lines` non-empty lines, without control characters and cut to 1,000 each."""
    plain = _ESCAPE_SEQUENCE.sub("", text.decode("utf-8", "replace").replace("\r", "\n"))
    kept = [cut for cut in map(_printable, plain.split("\n")) if cut.strip()]
    return "\n".join(kept[-lines:])


def _printable(line: str) -> str:
    return "".join(c for c in line.replace("\t", "    ") if c.isprintable())[:_LINE_CHARACTERS].rstrip()
