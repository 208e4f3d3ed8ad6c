"""Pastes what a command printed into a Markdown file: no figure in the docs is typed in.

    make bench | python bench/paste.py README.md 'make bench'

replaces what stands between `<!-- output: make bench -->` and `<!-- end -->` in README.md by stdin: as a code
block, or as it is with --markdown. Escape sequences are removed. Exit 2 where the marks are not there once.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def pasted(page: str, label: str, output: str, *, markdown: bool = False) -> str:
    """`page` with `output` between the marks of `label`; ValueError unless they stand there exactly once."""
    pattern = re.compile(rf"(<!-- output: {re.escape(label)} -->\n).*?(<!-- end -->)", re.DOTALL)
    clean = _ESCAPES.sub("", output).strip("\n")
    block = f"{clean}\n" if markdown else f"```text\n{clean}\n```\n"
    page, count = pattern.subn(lambda marks: marks[1] + block + marks[2], page)
    if count != 1:
        raise ValueError(f"found {count} pairs of marks for {label!r}; expected one")
    return page


def main() -> int:
    """Paste stdin; 0 when it was done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("label")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    output = sys.stdin.read()
    if not output.strip():
        print(f"{options.label}: printed nothing; the page is left as it was", file=sys.stderr)
        return 2
    try:
        page = pasted(options.page.read_text(), options.label, output, markdown=options.markdown)
    except ValueError as error:
        print(f"{options.page}: {error}", file=sys.stderr)
        return 2
    options.page.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
