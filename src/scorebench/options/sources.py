"""Options from files and variables → words for the parser. Knows TOML and argparse; no option by name.

The order is Locust's: what is typed, then SCOREBENCH_* variables, --config FILE, pyproject.toml, and
scorebench.toml. What comes first holds; lists are not joined.
"""

from __future__ import annotations

import json
from argparse import Action, ArgumentParser, ArgumentTypeError
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from scorebench.errors import InputError
from scorebench.options.one_line import did_you_mean

PREFIX = "SCOREBENCH_"
CONFIG = "--config"
TABLE = "tool.scorebench"
FILES = ("pyproject.toml", "scorebench.toml")
"""Read from the working directory, the first first."""
_ALIKE = 0.84
"""How much a variable's name is like an option's, from 0 to 1, before it is taken for a slip of the pen.

`SCOREBENCH_LIMITS` would else be a limit that nobody checks. All other variables with our prefix are left
alone: one may hold a user's own token, as `--bearer-env` names it.
"""
_OTHERS = ("config", "cluster-secret", "cluster-secret-file")
"""Variables that a user sets too, and no options: a secret under a wrong name would seal nothing."""
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")


@dataclass(frozen=True)
class Found:
    """The words of a command with those that were set elsewhere before them; `origins` by name."""

    words: list[str]
    origins: Mapping[str, str]


@dataclass(frozen=True)
class Parsers:
    """Those of all commands, by name. Keys at the top hold for `measuring`, `shared` ones for all."""

    of: Mapping[str, ArgumentParser]
    measuring: Collection[str]
    shared: Collection[str]

    def at_the_top(self) -> set[str]:
        """Every name that may stand outside a table of one command."""
        return {name for command in self.measuring for name in by_name(self.of[command])} | {*self.shared}

    def held(self, command: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """What of `values`, at the top, is for `command`."""
        return {n: value for n, value in values.items() if command in self.measuring or n in self.shared}


def add_config(parser: ArgumentParser) -> None:
    """The option that names a file with others."""
    parser.add_argument(
        CONFIG,
        metavar="FILE",
        help="take options from this TOML file too; pyproject.toml ([tool.scorebench]) and scorebench.toml "
        "of the working directory are read by themselves",
    )


def words_of(
    typed: Sequence[str], command: str, parsers: Parsers, variables: Mapping[str, str], folder: Path
) -> Found:
    """`typed`, the words behind `command`, and what variables and the files of `folder` add.

    InputError for a file that can't be read, a name that no command has, a variable whose name is nearly an
    option's, and a value of another type.
    """
    known = by_name(parsers.of[command])
    words: list[str] = []
    origins: dict[str, str] = {}
    asked = _asked_for(typed) or variables.get(f"{PREFIX}CONFIG")
    files = [Path(asked)] if asked and CONFIG in parsers.of[command]._option_string_actions else []
    sources = [*_variables(variables, command, parsers)]
    for path in [*files, *(folder / name for name in FILES)]:
        sources += _tables(path, _table(path, needed=path in files), command, parsers)
    for place, values in sources:
        for name, value in values.items():
            action = known.get(name)
            if action is None or name in origins or _is_typed(action, typed):
                continue
            words += _words(f"--{name}", action, value, place)
            origins[name] = place
    return Found([*words, *typed], origins)


def _tables(
    path: Path, table: Mapping[str, Any], command: str, parsers: Parsers
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file, {name: value}): the command's own table, then the top."""
    own = {name: one for name, one in table.items() if name in parsers.of and isinstance(one, dict)}
    top = _hyphened({name: one for name, one in table.items() if name not in own})
    _check_names(top, f"{path.name}: ", parsers.at_the_top())
    for name, values in own.items():
        _check_names(_hyphened(values), f"{path.name}: {name}.", by_name(parsers.of[name]))
    yield path.name, _hyphened(own.get(command, {}))
    yield path.name, parsers.held(command, top)


def _asked_for(typed: Sequence[str]) -> str | None:
    found = None
    for number, word in enumerate(typed):
        if word.startswith(f"{CONFIG}="):
            found = word.partition("=")[2]
        elif word == CONFIG and number + 1 < len(typed):
            found = typed[number + 1]
    return found


def _variables(
    variables: Mapping[str, str], command: str, parsers: Parsers
) -> Iterator[tuple[str, dict[str, Any]]]:
    known = parsers.at_the_top()
    for variable in sorted(variables):
        name = variable.removeprefix(PREFIX).lower().replace("_", "-")
        if not variable.startswith(PREFIX) or _is_a_link(name, variables[variable]):
            continue
        if name in known:
            yield variable, parsers.held(command, {name: variables[variable]})
        elif name not in _OTHERS and (near := _nearly(name, {*known, *_OTHERS})):
            meant = PREFIX + near.upper().replace("-", "_")
            raise InputError(f"{variable}: no such option; did you mean {meant}? Correct or unset it")


def _is_a_link(name: str, value: str) -> bool:
    """Whether Kubernetes has set it: each pod gets `X_PORT=tcp://10.0.0.1:80` for a service named `x`."""
    return name == "port" and value.startswith(("tcp://", "udp://", "sctp://"))


def _nearly(name: str, known: Collection[str]) -> str | None:
    """The name that `name` was probably meant to be; two letters in each other's place count as one slip."""
    swapped = (one for one in sorted(known) if sorted(one) == sorted(name))
    return next(swapped, None) or next(iter(get_close_matches(name, known, n=1, cutoff=_ALIKE)), None)


def _table(path: Path, *, needed: bool) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if needed:
            raise InputError(f"{CONFIG} {path}: no such file; expected a TOML file with options") from None
        return {}
    except OSError as problem:
        raise InputError(f"{path}: can't be read: {problem.strerror}; expected a TOML file") from None
    import tomllib

    try:
        read = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        if path.name == "pyproject.toml" and TABLE.encode() not in content:
            return {}  # somebody else's file, and nothing in it is for us
        raise InputError(f"{path}: is not TOML ({' '.join(str(problem).split())}); mend it") from None
    tool = read.get("tool")
    ours = tool.get("scorebench") if isinstance(tool, dict) else None
    if ours is None:
        return {} if path.name == "pyproject.toml" else read
    if not isinstance(ours, dict):
        raise InputError(f"{path}: {TABLE} is no table; expected [{TABLE}] with options below it")
    return ours


def _check_names(values: Mapping[str, Any], place: str, known: Collection[str]) -> None:
    for name in values:
        if name not in known:
            raise InputError(f"{place}{name}: no such option{did_you_mean(name, known)}")


def _hyphened(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in values.items()}


def by_name(parser: ArgumentParser) -> dict[str, Action]:
    """{run-time: its option}, by its name without hyphens before it; not help, and not the file itself."""
    left_out = {"--help", CONFIG}
    return {
        flag.removeprefix("--"): action
        for flag, action in parser._option_string_actions.items()
        if flag.startswith("--") and flag not in left_out
    }


def _is_typed(action: Action, typed: Sequence[str]) -> bool:
    for word in typed:
        for flag in action.option_strings:
            if word == flag or word.startswith(f"{flag}=" if flag.startswith("--") else flag):
                return True
    return False


def _words(flag: str, action: Action, value: Any, place: str) -> list[str]:
    if action.nargs == 0:
        return [flag] if _switch(flag, value, place) else []
    several = value if isinstance(value, list) else [value]
    if len(several) > 1 and type(action).__name__ != "_AppendAction":
        raise InputError(f"{place}: {flag.removeprefix('--')}: found a list; expected one value")
    return [f"{flag}={_text(flag, action, one, place)}" for one in several]


def _switch(flag: str, value: Any, place: str) -> bool:
    text = str(value).lower()
    if text not in (*_YES, *_NO):
        raise InputError(f"{place}: {flag.removeprefix('--')}: found {value!r}; expected true or false")
    return text in _YES


def _text(flag: str, action: Action, value: Any, place: str) -> str:
    name = flag.removeprefix("--")
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    if isinstance(value, bool | list):
        raise InputError(f"{place}: {name}: found {json.dumps(value)}; expected a value")
    try:
        read = action.type(text) if callable(action.type) else text
    except (ValueError, TypeError, ArgumentTypeError):
        kinds: dict[Any, str] = {int: "a whole number", float: "a number"}
        raise InputError(
            f"{place}: {name}: found {text}; expected {kinds.get(action.type, 'another')}"
        ) from None
    if action.choices is not None and read not in action.choices:
        raise InputError(
            f"{place}: {name}: found {text}; expected one of {', '.join(map(str, action.choices))}"
        )
    return text
