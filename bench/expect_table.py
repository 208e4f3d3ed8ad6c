"""What `--expect` takes as Markdown, from the records themselves: `docs/payloads.md` is pasted from it."""

from __future__ import annotations

from scorebench.answers.readings import READINGS, Expected, expected


def table() -> str:
    """A line for each kind of answer, a number and a path."""
    kinds = [*READINGS, "12", "$.choices[0].message"]
    return "\n".join(
        ["| `--expect` | a 200 is valid if |", "| --- | --- |", *map(line, map(expected, kinds))]
    )


def line(wanted: Expected) -> str:
    """One kind's line."""
    return f"| `{wanted.reading.name}` | {wanted.reading.words} |"


if __name__ == "__main__":
    print(table())
