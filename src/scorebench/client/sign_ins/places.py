"""A secret that is in a variable or in a file, as two flags name it. Knows flags and places; no service."""

from __future__ import annotations

from pathlib import Path

from scorebench.client.places import Place
from scorebench.client.sign_ins.record import Flag, Wanted
from scorebench.errors import InputError

LOOK_AGAIN_S = 1.0
"""How often a variable or a file is read again."""


def place_in(wanted: Wanted, env: Flag, file: Flag) -> Place:
    """Where the secret is; one of the two flags was given."""
    variable, path = wanted.get(env), wanted.get(file)
    if variable is not None:
        return Place(env.flag, variable=variable)
    return Place(file.flag, file=Path(path or ""))


def check_one(wanted: Wanted, env: Flag, file: Flag, what: str) -> None:
    """InputError for both flags at once, and for what can be no variable's name."""
    if wanted.get(env) is not None and wanted.get(file) is not None:
        raise InputError(f"{env.flag} and {file.flag}: found both; one {what} is enough. Keep one.")
    place_in(wanted, env, file).check()
