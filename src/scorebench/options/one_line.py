"""An argument parser whose complaint is one line. Knows argparse; no option of ours."""

from __future__ import annotations

import argparse
from typing import NoReturn


class OneLine(argparse.ArgumentParser):
    """Says what is wrong in a line, and where to look; argparse prints the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")
