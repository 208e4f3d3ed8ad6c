"""The optional packages and how to install them. Knows the extras by name; imports none of them."""

from __future__ import annotations

import importlib.metadata
import re


def install(*extras: str) -> str:
    """The command that installs what the extras need: `pip install 'mlflow>=3.10' 'scikit-learn>=1.5'`.

    It names the packages, so it works however scorebench was installed: a clone, a wheel, a registry.
    """
    return " ".join(["pip install", *(f"'{one}'" for extra in extras for one in packages(extra))])


def packages(extra: str) -> list[str]:
    """The packages of an extra with their versions, as the installed scorebench asks for them."""
    ends = re.compile(rf"""\s*;\s*extra\s*==\s*(['"]){re.escape(extra)}\1\s*""")
    asked = importlib.metadata.requires("scorebench") or []
    return [ends.split(one)[0] for one in asked if ends.search(one)]
