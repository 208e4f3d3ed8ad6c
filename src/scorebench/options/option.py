"""What an option is: a record, and the headings of `--help`. Knows argparse; no option by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from scorebench.options.given import Store

SENT, REACHED, OFFERED = "what is sent", "how the server is reached", "how it is offered"
JUDGED, LEFT = "what is judged", "where it goes"
GROUPS = (SENT, OFFERED, JUDGED, LEFT, REACHED)
"""The headings of `--help`, in their order."""


@dataclass(frozen=True)
class Option:
    """One option, under the heading `group` of `--help`; `first`: above all headings, for newcomers.

    `on_page`: it is in the start form of Locust's web page.
    `for_all`: it holds for a locustfile without users of scorebench too.
    `makes_bodies`: it says what the encoded bodies are, so it can't go with a ready one (`--body`).
    """

    flag: str
    help: str
    kind: Callable[[str], Any] = str
    default: Any = None
    metavar: str | None = None
    repeated: bool = False
    switch: bool = False
    on_page: bool = False
    for_all: bool = False
    makes_bodies: bool = False
    group: str = REACHED
    first: bool = False
    hides: bool = False
    """Its value is neither recorded nor handed to another process on a command line."""
    choices: tuple[str, ...] = ()
    """All that it can be, where these are few: the start form lists them."""
    on_form: str = ""
    """What the start form says of it, where that differs from `help`: it has fields, and no command line."""
    signs_in: bool = False
    """It names what only the host may see that it was given for."""

    @property
    def name(self) -> str:
        """The attribute that the parsed option becomes."""
        return self.flag.removeprefix("--").replace("-", "_")

    def arguments(self) -> dict[str, Any]:
        """What argparse's add_argument takes."""
        if self.switch:
            return {"action": "store_true", "default": False, "help": self.help}
        common: dict[str, Any] = {"default": self.default, "help": self.help, "metavar": self.metavar}
        if self.repeated:
            return common | {"action": "append"}
        return common | {"action": partial(Store, note=self.name), "type": self.kind}
