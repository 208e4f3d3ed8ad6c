"""Which tests are quick: they start no process and no server, and simulate no load test. Knows no pytest.

Read from the names that each test uses.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STARTERS = {"subprocess", "multiprocessing", "socket", "socketserver", "http.server", "asyncio", "docker"}
"""Modules that start processes or listen on a port. A test that reaches one of them is not quick."""
SIMULATED = {"tests.measuring.SimulatedServer", "tests.queues.Queue"}
"""What simulates load tests, call by call, which takes seconds. The same holds for it."""

EVERYTHING = "*"
"""Stands for all names of a module, where a test names it in a text: `Kind(module="tests.own_server")`."""


@cache
def is_quick(path: Path, test: str) -> bool:
    """Whether `test`, a function or a class of the module at `path`, reaches nothing that takes long.

    The search goes through fixtures and helpers, also those in other modules of this project.
    """
    seen: set[tuple[Path, str]] = set()
    todo = [(path, name) for name in (test, *_module(path).automatic)]
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        for module, name in _module(place[0]).reached(place[1]):
            if {module, f"{module}.{name}"} & (STARTERS | SIMULATED):
                return False
            if source := _source(module) if module else place[0]:
                todo.append((source, name))
    return True


class _Module:
    """What the definitions of one module use, and where its imports come from."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text())
        self._imports = dict(_imports(tree))
        self._uses = {name: set(_used(node)) for node in tree.body for name in _defined(node)}
        self.automatic = [name for node in tree.body if _is_automatic(node) for name in _defined(node)]

    def reached(self, name: str) -> list[tuple[str, str]]:
        """Module and name of each thing that the definition of `name` uses; "" is this module."""
        if name == EVERYTHING:
            return [("", defined) for defined in self._uses]
        used = [(name, "")] if name in self._imports else self._uses.get(name, ())
        return [self._origin(*one) for one in used]

    def _origin(self, name: str, attribute: str) -> tuple[str, str]:
        if attribute == EVERYTHING:
            return name, attribute
        if name not in self._imports:
            return "", name
        module, inner = self._imports[name]
        whole = f"{module}.{inner}" if inner else module
        return (whole, attribute) if not inner or _source(whole) else (module, inner)


@cache
def _module(path: Path) -> _Module:
    return _Module(path)


@cache
def _source(module: str) -> Path | None:
    """The file of a module of this project; None for any other."""
    if module.split(".", maxsplit=1)[0] not in ("tests", "bench", "scorebench"):
        return None
    base = (ROOT / "src" if module.startswith("scorebench") else ROOT) / module.replace(".", "/")
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _imports(tree: ast.Module) -> list[tuple[str, tuple[str, str]]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(a.asname or a.name.split(".")[0], (a.name, "")) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(a.asname or a.name, (str(node.module), a.name)) for a in node.names]
    return found


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _is_automatic(node: ast.stmt) -> bool:
    """Whether it is a fixture that every test of its module gets."""
    return isinstance(node, ast.FunctionDef) and any("autouse" in ast.unparse(d) for d in node.decorator_list)


def _used(node: ast.AST) -> list[tuple[str, str]]:
    """Names that a definition uses, each with the attribute that it takes of it or "".

    Arguments count as well, since they may be fixtures.
    """
    found = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
            found.append((inner.value.id, inner.attr))
        elif isinstance(inner, ast.Name):
            found.append((inner.id, ""))
        elif isinstance(inner, ast.Constant) and str(inner.value).startswith("tests."):
            found.append((str(inner.value), EVERYTHING))
        elif isinstance(inner, ast.arg):
            found.append((inner.arg, ""))
        elif isinstance(inner, ast.alias):
            found.append((inner.asname or inner.name.split(".")[0], ""))
    return found
