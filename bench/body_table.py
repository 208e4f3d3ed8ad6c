"""Bodies that are no rows as Markdown, from the records themselves: `docs/payloads.md` is pasted from it."""

from __future__ import annotations

from scorebench.payloads.formats.whole import WHOLE


def table() -> str:
    """A line for each form, with a sample."""
    head = "| body | key | who reads it | expected answer | sample |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *lines()])


def lines() -> list[str]:
    """One form a line."""
    return [
        f"| {form.name} | `{form.key}` | {form.about} | `{form.answers}` | `{form.sample}` |"
        for form in WHOLE.values()
    ]


if __name__ == "__main__":
    print(table())
