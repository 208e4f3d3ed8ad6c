"""What a user reads is plain English: patterns of riddles and inversions that must not come back."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import ROOT

RIDDLES = re.compile(
    r"\b(?:"
    + "|".join(
        [
            r"(?:what|who) is no",
            r"is told",
            r"(?:told|judged|made) anew",
            r"stands? (?:in|beside|above|below)",
            r"nowhere|wherever|whoever",
            r"bring up|brought up|taken down",
            r"nor (?:does|is|do|are)",
            r"in the clear|seen by all",
            r"is to be had|has need of|want of",
            r"may be given again|goes with",
            r"holds no more",
            r"look into",
            r"weather",
        ]
    )
    + r")\b",
    re.IGNORECASE,
)
"""Each has a plain form: "is told" is reported, "stands below" is below, "brought up" is started …"""
PASTED = re.compile(r"<!-- output: .*?<!-- end -->", re.DOTALL)
"""What a tool pasted has the code's words, which are looked at where they are written."""
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "payloads/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
MODULES = sorted((ROOT / "src" / "scorebench").rglob("*.py"))
TEMPLATES = sorted((ROOT / "src" / "scorebench").rglob("*.j2"))


def texts(source: str) -> Iterator[str]:
    """The string constants of a module, docstrings among them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def riddles(text: str) -> list[str]:
    """What is found, each with the words around it."""
    flat = " ".join(text.split())
    return [flat[max(found.start() - 30, 0) : found.end() + 30] for found in RIDDLES.finditer(flat)]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_are_plain(page: Path) -> None:
    """README, docs/ and what else a reader opens."""
    assert riddles(PASTED.sub("", page.read_text())) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_messages_are_plain(path: Path) -> None:
    """Help, errors, findings, reports and docstrings: every text in the code."""
    assert [found for text in texts(path.read_text()) for found in riddles(text)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_are_plain(path: Path) -> None:
    """The words of the report's page."""
    assert riddles(path.read_text()) == []


VAGUE = {"told", "said"}
"""Past participles say nothing of what a variable holds: name the thing, such as `message` or `reported`."""
IN_FILES = {"recordings/stages_form.py", "report/forms/stages.py"}
"""Their `told` is a field of files that others have written."""


def vague(source: str) -> set[str]:
    """The names in a module that are one of VAGUE, in whatever case and with whatever underscores."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.string for t in tokens if t.type == tokenize.NAME and t.string.strip("_").lower() in VAGUE}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_names_say_what_they_hold(path: Path) -> None:
    """Functions, classes, variables, parameters and attributes."""
    allowed = {"told"} if str(path.relative_to(ROOT / "src" / "scorebench")) in IN_FILES else set()
    assert vague(path.read_text()) <= allowed


def test_a_vague_name_is_found() -> None:
    """As a class, an attribute or a variable; a text or a part of a longer name is none."""
    assert vague("class Told: ...\nself._said = told\n") == {"Told", "_said", "told"}
    assert vague('said_by_mlflow = "told"\n') == set()


def test_a_riddle_is_found() -> None:
    """Across lines and in whatever case, with its place; in docstrings and f-strings too."""
    assert riddles("The cause is\ntold below.") == ["The cause is told below."]
    assert riddles("The cause is below.") == []
    module = '"""What is no call."""\nerror = f"{1}: stands beside it"\n'
    found = [riddle for text in texts(module) for riddle in riddles(text)]
    assert found == ["What is no call.", ": stands beside it"]
