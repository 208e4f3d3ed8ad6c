"""Our options on Locust's command line, beside those of the locustfile. Knows parsers; not what options mean.

A locustfile and its plugins share one space of names with us, and come first: our options are added after
theirs, under `--scorebench-NAME`, and under `--NAME` where nobody else has that.
"""

from __future__ import annotations

import json
import os
import re
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.options.names import PREFIX, name_in, value_of
from scorebench.options.option import Option
from scorebench.options.recorded import as_recorded
from scorebench.options.table import DEFAULTS, OPTIONS
from scorebench.runs.launch import HIDDEN_VARIABLE

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser
    from locust.event import EventHook

WEB_ALLOWED_HOST = "--web-allowed-host"
LONG_PREFIX = f"--{PREFIX.replace('_', '-')}"


class CommandLine:
    """Locust's parser, with whose options it has. There is one a process."""

    def __init__(self) -> None:
        self._parser: LocustArgumentParser | None = None
        self._known: set[str] = set()
        """Destinations of Locust's own options and of ours."""
        self.on_form = False
        """Set once there is a page: Locust then makes a parser only to list the fields of its start form."""

    def add_last(self, hook: EventHook) -> None:
        """Have `hook`, init_command_line_parser, add our options once all its listeners have added theirs."""
        others = hook.fire

        def fire(*, parser: LocustArgumentParser, **kwargs: Any) -> None:
            known = {action.dest for action in parser._actions}
            others(parser=parser, **kwargs)
            theirs = {action.dest for action in parser._actions}
            add_options(parser, on_form=self.on_form)
            ours = {action.dest for action in parser._actions} - theirs
            self._parser, self._known = parser, known | ours

        hook.fire = fire  # type: ignore[method-assign, assignment]

    def as_recorded(self, argv: list[str]) -> str:
        """The command as a recording may hold it."""
        if self._parser is None:  # Locust is used as a library
            return f"python {Path(argv[0]).name}"
        return f"locust {as_recorded(argv[1:], self._parser, self._known)}".rstrip()


LINE = CommandLine()


def add_options(parser: LocustArgumentParser, *, on_form: bool = False) -> None:
    """Add our options to `parser`, whose names that others took stay theirs."""
    _keep_the_page_here(parser)
    hidden = json.loads(os.environ.get(HIDDEN_VARIABLE, "{}"))
    for option in OPTIONS:
        flags = [flag_of(option)]
        if option.flag not in parser._option_string_actions:
            flags.insert(0, option.flag)
        taken = any(action.dest == option.name for action in parser._actions)
        action = parser.add_argument(
            *flags,
            dest=PREFIX + option.name if taken or len(flags) == 1 else option.name,
            include_in_web_ui=option.on_page,
            **option.arguments() | ({"default": hidden[option.name]} if option.name in hidden else {}),
        )
        if option.choices:
            action.choices = _Listed(option.choices)
        if on_form and option.on_form:
            action.help = option.on_form


class _Listed(list[str]):
    """What the start form lists. A value that is none of these passes here, and is refused in our words."""

    def __contains__(self, _value: object) -> bool:
        return True


def _keep_the_page_here(parser: LocustArgumentParser) -> None:
    """Locust's page listens on every address unless told; with us it listens on this machine's own."""
    for action in parser._actions:
        if action.dest == "web_host" and not action.default:
            action.default = "127.0.0.1"
            action.help = "host to bind the web interface to (127.0.0.1, which scorebench sets; '*': all)"
    if WEB_ALLOWED_HOST not in parser._option_string_actions:
        parser.add_argument(
            WEB_ALLOWED_HOST,
            metavar="NAME",
            help="names that the web page may be called by, beside addresses and localhost; commas between",
            include_in_web_ui=False,
        )


def flag_of(option: Option) -> str:
    """The name that always works."""
    return LONG_PREFIX + option.flag.removeprefix("--")


def given_way(options: Namespace | None) -> list[Option]:
    """Our options whose short name belongs to the locustfile."""
    return [option for option in OPTIONS if name_in(options, option.name) != option.name]


def said_to_give_way(options: Namespace | None) -> str | None:
    """What to tell about them, in a line; None where there are none."""
    others = given_way(options)
    if not others:
        return None
    short, long = (", ".join(names) for names in zip(*((o.flag, flag_of(o)) for o in others), strict=True))
    return f"the locustfile has options of its own called {short}; those of scorebench are {long}"


def as_typed(options: Namespace | None, text: str) -> str:
    """`text` with the names that our options go by in this process."""
    for option in given_way(options):
        text = re.sub(rf"(?<![\w-]){option.flag}(?![\w-])", flag_of(option), text)
    return text


def refuse_what_nobody_obeys(options: Namespace | None, words: Iterable[str]) -> None:
    """Raise InputError for an option that only our users obey; for a locustfile that has none of them.

    `words` is the command line: a file of options may serve several locustfiles.
    """
    typed = {word.partition("=")[0] for word in words if word.startswith("--")}
    for option in OPTIONS:
        flags = {option.flag, flag_of(option)}
        changed = value_of(options, option.name) not in (DEFAULTS[option.name], "", None)
        if changed and not option.for_all and (option.on_page or typed & flags):
            raise InputError(
                f"{option.flag}: only users of scorebench obey it, and the locustfile has none; "
                "leave it out, or add a class of ScoringUser"
            )
