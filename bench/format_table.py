"""Every body format as Markdown, from the records themselves: `docs/payloads.md` is pasted from it."""

from __future__ import annotations

from scorebench.payloads.formats import FORMATS
from scorebench.payloads.formats.record import BodyFormat


def table() -> str:
    """A line for each format, with a body of two rows."""
    head = "| `--format` | who reads it | content type | `--params` | two rows |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *map(row, FORMATS.values())])


def row(format: BodyFormat) -> str:
    """One format's line."""
    sample = format.sample.strip().replace("\n", " ⏎ ")
    params = "yes" if format.takes_params else "no"
    return f"| `{format.name}` | {format.about} | `{format.content_type}` | {params} | `{sample}` |"


if __name__ == "__main__":
    print(table())
