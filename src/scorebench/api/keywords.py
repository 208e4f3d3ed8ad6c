"""Keyword arguments → the options of `scorebench run`, read as the command reads them. Sends nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NoReturn

from scorebench.errors import InputError
from scorebench.options.one_line import OneLine, in_our_words
from scorebench.runs import arguments

PLACE = "scorebench.run"
_WITH_COMMAS = {"cpus", "generator_cpus"}
"""Options that take several values as one text."""


class _Raising(OneLine):
    """Raises InputError where a shell would print an error."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog}: {in_our_words(message)}")


def parsed(
    target: str,
    given: Mapping[str, Any],
    *,
    command: str = "run",
    add: Callable[[Any], None] = arguments.add_all,
    with_commas: Collection[str] = (),
) -> argparse.Namespace:
    """What the command would have parsed; `words` of it are the command. InputError says what is wrong.

    Values may be what a person would write in Python: a list where an option is repeatable or takes
    commas, a mapping where it takes JSON; None and False leave the option out. `add` gives the parser the
    options of another command; `with_commas` names those that take commas there.
    """
    place = f"scorebench.{command}"
    parser = _Raising(prog=place)
    add(parser)
    known = set(vars(parser.parse_args([])))
    for name in given:
        if name not in known:
            near = get_close_matches(name, known - {"limit"} | {"limits"}, n=1)
            hint = f"did you mean {near[0]}?" if near else f"they are those of scorebench {command} --help"
            raise InputError(f"{place}: no option {name!r}; {hint}")
    words = [word for name, value in given.items() for word in _words(name, value, with_commas)]
    options = parser.parse_args(words)
    options.target, options.words = target, [command, target, *words]
    return options


def _words(name: str, value: Any, with_commas: Collection[str]) -> Iterator[str]:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, list | tuple | range):
        several = [",".join(map(str, value))] if name in _WITH_COMMAS or name in with_commas else value
        yield from (f"{flag}={one}" for one in several)
    elif value is True:
        yield flag
    elif value is not None and value is not False:
        yield f"{flag}={json.dumps(value) if isinstance(value, Mapping) else value}"
