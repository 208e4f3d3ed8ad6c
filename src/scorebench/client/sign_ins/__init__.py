"""The ways to sign in, one record each. To add one, write its module, and add its record to `SIGN_INS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from scorebench.client.hiding import in_urls
from scorebench.client.sign_ins.basic import BASIC
from scorebench.client.sign_ins.bearer import BEARER
from scorebench.client.sign_ins.databricks import DATABRICKS
from scorebench.client.sign_ins.entra import AZURE_ENTRA
from scorebench.client.sign_ins.oauth import CLIENT_CREDENTIALS
from scorebench.client.sign_ins.record import Flag, SignIn, Wanted
from scorebench.client.sign_ins.sagemaker import SAGEMAKER
from scorebench.errors import InputError

SIGN_INS: tuple[SignIn, ...] = (
    BEARER,
    BASIC,
    CLIENT_CREDENTIALS,
    DATABRICKS,
    SAGEMAKER,
    AZURE_ENTRA,
)


def flags() -> tuple[Flag, ...]:
    """The options of all of them, each once."""
    return tuple(dict.fromkeys(flag for one in SIGN_INS for flag in one.flags))


def schemes() -> tuple[str, ...]:
    """The schemes of URLs that always sign in."""
    return tuple(one.scheme for one in SIGN_INS if one.scheme is not None)


def choose(url: str, value_of: Callable[[str], Any], ca_file: Path | None) -> tuple[SignIn, Wanted] | None:
    """The sign-in that URL and options ask for; None: nobody signs in.

    InputError for two at once, for an option of another sign-in, and for what is wrong in it.
    """
    values = tuple((flag.name, str(found)) for flag in flags() if (found := value_of(flag.name)) is not None)
    wanted = Wanted(url, values, ca_file)
    asked = [one for one in SIGN_INS if one.is_asked(wanted)]
    if len(asked) > 1:
        found = " and ".join(_described(one, wanted) for one in asked)
        raise InputError(f"{found}: two sign-ins; a call can have one. Leave one of them out.")
    _refuse_others(asked, wanted)
    if not asked:
        return None
    asked[0].check(wanted)
    return asked[0], wanted


def _described(one: SignIn, wanted: Wanted) -> str:
    """How it was asked for."""
    if one.scheme is not None:
        return f"{one.scheme}://"
    return next(flag.flag for flag in one.flags if wanted.get(flag) is not None)


def _refuse_others(asked: list[SignIn], wanted: Wanted) -> None:
    obeyed = {flag for one in asked for flag in one.flags}
    for flag in flags():
        if wanted.get(flag) is not None and flag not in obeyed:
            takers = " or ".join(f"{one.scheme}://NAME" for one in SIGN_INS if flag in one.flags)
            raise InputError(
                f"{flag.flag} {in_urls(str(wanted.get(flag)))}: only works with {takers}; leave it out"
            )
