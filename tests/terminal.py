"""A terminal for tests: runs a command on one, and knows what would stand on its screen at the end.

Knows the few control codes that rich sends; anything else is kept as text, where a test would see it.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

_CODE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)|(.)", re.DOTALL)


def on_terminal(command: list[str], folder: Path, columns: int = 200) -> str:
    """All that `command` writes to a terminal."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "LINES": "50", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    try:
        while more := os.read(ours, 65536):
            said += more
    except OSError:  # Linux tells the end so
        pass
    finally:
        os.close(ours)
        process.wait(60)
    return said.decode()


def screen(said: str) -> list[str]:
    """The lines that a terminal without an upper end shows after it was sent `said`."""
    lines, row, column = [""], 0, 0
    for codes, command, back, down, text, other in _CODE.findall(said):
        if back:
            column = 0
        elif down:
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif command == "A":
            row = max(row - int(codes or 1), 0)
        elif command == "K":
            lines[row] = "" if codes == "2" else lines[row][:column]
        elif text or other:
            before = lines[row].ljust(column)
            lines[row] = before[:column] + (text or other) + before[column + len(text or other) :]
            column += len(text or other)
    return lines
