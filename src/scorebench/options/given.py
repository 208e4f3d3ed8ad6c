"""Which options were given, and not left at their defaults. Knows argparse's actions; no option of ours.

A default that somebody typed is a wish, and where it can't be met it is refused, as any other value is.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from typing import Any

_ATTRIBUTE = "scorebench_given"


class Store(argparse.Action):
    """Stores the value, and notes in the namespace that it was given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._note = kwargs.pop("note")
        super().__init__(*args, **kwargs)

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 (argparse's signature)
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        setattr(namespace, self.dest, values)
        # A list, which Locust can send to its workers.
        setattr(namespace, _ATTRIBUTE, [*given_in(namespace), self._note])


def given_in(namespace: argparse.Namespace | None) -> Collection[str]:
    """The names of the options that were given."""
    return getattr(namespace, _ATTRIBUTE, None) or ()


def forget(namespace: argparse.Namespace, name: str) -> None:
    """Have the option `name` count as not given."""
    setattr(namespace, _ATTRIBUTE, [one for one in given_in(namespace) if one != name])
