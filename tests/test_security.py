"""SECURITY.md names tests: each is there, and so is each row's."""

from __future__ import annotations

import re

from tests.commands import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()


def test_every_row_names_tests_that_exist() -> None:
    """A promise without a test, or with one that was renamed, is none."""
    written = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    rows = [line for line in TEXT.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        for name in named:
            assert f"def {name}(" in written, name


def test_every_locked_package_has_its_licence() -> None:
    """By the lock's own names and versions; what only other systems need is left out."""
    listed = (ROOT / "locks" / "licences.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in listed.splitlines()[2:]]
    licences = {(normal(name), version): licence for name, version, licence in rows}
    locked = re.findall(r"^([\w.-]+)==(\S+) (?!;)", (ROOT / "locks" / "dev.txt").read_text(), re.MULTILINE)
    assert len(locked) > 100
    for name, version in locked:
        assert licences.get((normal(name), version)), f"{name} {version}: run `make licences`"


def normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()
