"""The services and the line to type for each, as Markdown: docs/endpoints.md is pasted from it."""

from __future__ import annotations

from scorebench.client import sign_ins


def table() -> str:
    """A row for each sign-in."""
    rows = [f"| {one.service} | `{one.line}` | {one.needs} | {one.verified} |" for one in sign_ins.SIGN_INS]
    return "\n".join(["| service | line | needs | verified against |", "| --- | --- | --- | --- |", *rows])


if __name__ == "__main__":
    print(table())
