"""What docs/ and its examples tell people to type is there."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bench.option_tables import commands, options_of, tables
from bench.paste import pasted

from scorebench.cli import parser
from tests.commands import ROOT

PAGES = sorted((ROOT / "docs").glob("*.md"))
WORKFLOWS = [ROOT / "docs" / "examples" / name for name in ("github-workflow.yml", "gitlab-ci.yml")]
WITH_OPTIONS = [command for command in commands(parser()) if options_of(command)]
COMMAND = re.compile(r"(?:^|(?<=; ))(?:[A-Z_]+=\S+ )*((?:scorebench|locust) .*)")
LOCUST_PARSES = """
import sys
import scorebench.plugin
from locust.argument_parser import get_parser
print(get_parser().parse_args(sys.argv[1:]).limit)
"""


def typed(page: Path) -> list[str]:
    """The commands of a page: indented lines, without their comments; those with … are no whole command."""
    lines = re.findall(r"^ {4,}(\S.*?)(?:\s{2,}#.*)?$", page.read_text(), re.MULTILINE)
    return [found[1] for line in lines if "…" not in line and (found := COMMAND.match(line))]


def scripts(content: Any) -> Iterator[str]:
    """What a workflow has a shell do, wherever it stands."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key in ("run", "script", "after_script"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from scripts(value)
    elif isinstance(content, list):
        for item in content:
            yield from scripts(item)


def run_by(workflow: Path) -> list[str]:
    """The commands of ours in a workflow, each on one line."""
    shell = "\n".join(scripts(yaml.safe_load(workflow.read_text()))).replace("\\\n", " ")
    return [found[1] for line in shell.splitlines() if (found := COMMAND.match(line.strip()))]


def assert_taken(command: str) -> None:
    """Our parser knows every word of it, up to where the shell takes over."""
    words = shlex.split(command)
    ends = [index for index, word in enumerate(words) if word in ("||", "|", ">", "&&")]
    parser().parse_args(words[1 : min(ends, default=len(words))])


EVERY = [(page.name, command) for page in PAGES for command in typed(page)]
EVERY += [(workflow.name, command) for workflow in WORKFLOWS for command in run_by(workflow)]


def of(program: str) -> list[Any]:
    found = [(place, command) for place, command in EVERY if command.split()[0] == program]
    return [pytest.param(command, id=f"{place}-{number}") for number, (place, command) in enumerate(found)]


def test_commands_are_found() -> None:
    """The readers of pages and workflows see what there is; otherwise the tests below check nothing."""
    assert {"ci.md", "servers.md", *(workflow.name for workflow in WORKFLOWS)} <= {
        place for place, _ in EVERY
    }
    assert len(of("scorebench")) > 10
    assert of("locust")
    assert [len(run_by(workflow)) for workflow in WORKFLOWS] == [4, 3]


def test_an_unknown_option_is_refused() -> None:
    """The checks below go red for an option that does not exist."""
    with pytest.raises(SystemExit):
        assert_taken("scorebench run http://localhost:5001 --no-such-option")


@pytest.mark.parametrize("command", of("scorebench"))
def test_scorebench_takes_it(command: str) -> None:
    """Each command and option is known."""
    assert_taken(command)


@pytest.mark.parametrize("command", of("locust"))
def test_locust_takes_it(command: str) -> None:
    """Locust with the plugin knows each option; in a process of its own, which gevent may patch."""
    words = shlex.split(command)[1:]
    done = subprocess.run(
        [sys.executable, "-c", LOCUST_PARSES, *words], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Each page and file that is linked is there, and so is the heading behind a #."""
    links = re.findall(r"\]\(([^)#:]+)(?:#([^)]*))?\)", page.read_text())
    assert [link for link, _ in links if not (page.parent / link).exists()] == []
    assert [link for link, name in links if name and name not in headings(page.parent / link)] == []


def headings(page: Path) -> set[str]:
    """The names by which GitHub links to the headings of a page."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in found}


def test_headings_are_found() -> None:
    """As GitHub names them; a heading that is not there is not found."""
    assert "a-body-format" in headings(ROOT / "CONTRIBUTING.md")
    assert "no-such-heading" not in headings(ROOT / "CONTRIBUTING.md")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_keeps_the_report_of_a_red_run(workflow: Path) -> None:
    """Limits are set, JUnit is written, and the folder is kept although the job failed."""
    text = workflow.read_text()
    assert all(word in text for word in ("--limit", "--junit speed.xml", "reports", "always"))


def test_the_page_of_options_is_pasted() -> None:
    """Nobody edits the tables of docs/options.md by hand."""
    page = (ROOT / "docs" / "options.md").read_text()
    assert pasted(page, "python bench/option_tables.py", tables(), markdown=True) == page


Line = tuple[frozenset[str], str]
"""The words that name an argument, such as -u, --users and N; and its text."""


def printed(command: argparse.ArgumentParser, monkeypatch: pytest.MonkeyPatch) -> set[Line]:
    """What `--help` prints of each argument, without --help itself and the list of further commands."""
    monkeypatch.setenv("COLUMNS", "400")
    arguments = re.findall(r"^  (\S.*?)(?:  +|\n {10,})(\S.*)$", command.format_help(), re.MULTILINE)
    lines = {(frozenset(re.findall(r"[-\w]+", name)), text) for name, text in arguments}
    return {(name, text) for name, text in lines if "--help" not in name}


def on_the_page(page: str, command: str) -> set[Line]:
    """What docs/options.md has of each argument, its default put where `--help` puts it."""
    section = page.split(f"## `{command}`\n")[1].split("\n## ", maxsplit=1)[0]
    rows = re.findall(r"^\| `(.*?)` \| (?:`(.*?)`)? ?\| (.*) \|$", section, re.MULTILINE)
    return {
        (
            frozenset(re.findall(r"[-\w]+", name)),
            text if not default or "(default: " in text else f"{text} (default: {default})",
        )
        for name, default, text in rows
    }


@pytest.mark.parametrize("command", WITH_OPTIONS, ids=lambda command: command.prog)
def test_the_page_of_options_is_what_help_prints(
    command: argparse.ArgumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`scorebench COMMAND --help` and docs/options.md name the same arguments in the same words."""
    page = (ROOT / "docs" / "options.md").read_text()
    assert on_the_page(page, command.prog) == printed(command, monkeypatch)


@pytest.mark.parametrize("command", WITH_OPTIONS, ids=lambda command: command.prog)
def test_every_argument_has_a_text(command: argparse.ArgumentParser, monkeypatch: pytest.MonkeyPatch) -> None:
    """No argument is listed without a word, and none shows how Python or argparse write something."""
    for name, text in printed(command, monkeypatch):
        assert re.search(r"[a-z]{3}", text), name
        assert "None" not in name | {text}
        assert "%%" not in text
    assert len(printed(command, monkeypatch)) == len(options_of(command))


def test_every_finding_has_a_row() -> None:
    """docs/load.md has each code that the source gives a finding, and no other."""
    table = (ROOT / "docs" / "load.md").read_text().partition("| code |")[2].partition("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", "".join(rows))) == set(codes())


def codes() -> Iterator[str]:
    """What stands where a code belongs: written there, or the value of a name of that module."""
    place = {"Finding": 1, "_weighed": 1, "Unsteadiness": 0}
    for path in sorted((ROOT / "src" / "scorebench" / "verdicts").glob("*.py")):
        module = ast.parse(path.read_text())
        named = {
            target.id: node.value
            for node in module.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
        for call in calls:
            at = place.get(call.func.id) if isinstance(call.func, ast.Name) else None
            if at is None:
                continue
            code = call.args[at]
            code = named.get(code.id, code) if isinstance(code, ast.Name) else code
            either = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
            found = [node.value for node in either if isinstance(node, ast.Constant)]
            yield from (str(value).replace(" ", "_") for value in found)
