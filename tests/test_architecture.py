"""The direction of flow and the purity of the middle, read off the imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "scorebench"
MODULES = sorted(SOURCE.rglob("*.py"))

FLOW = (
    "payloads",
    "load",
    "answers",
    "recordings",
    "figures",
    "verdicts",
    "capacity",
    "comparison",
    "sweeps",
    "soaks",
    "advice",
    "plans",
)
"""A request's way, station by station: a package imports from itself and from those before it."""
COMMON = {"errors", "units", "extras", "timings"}
"""What any of them may import: the one error, how durations and rates are written, what installs an extra,
and the names of stages, which the module that runs inside a server must hold itself."""
STATIONS = {package: sorted((SOURCE / package).rglob("*.py")) for package in FLOW}
ROOMS = (
    "errors",
    "units",
    "timings",
    "extras",
    "signals",
    *FLOW,
    "client",
    "scrapes",
    "telemetry",
    "models",
    "options",
    "report",
    "folders",
    "servers",
    "runs",
    "cluster",
    "plugin.users",
    "plugin.lifecycle",
    "plugin.page",
    "plugin",
    "locustfile",
    "scripts",
    "api",
    "commands",
    "cli",
    "__main__",
    "__init__",
)
"""All of the house, from the ground up: a room imports from itself and from those before it, no other way."""
PURE = [path for modules in STATIONS.values() for path in modules]
IMPURE = {
    "time",
    "socket",
    "_socket",
    "ssl",
    "gevent",
    "locust",
    "subprocess",
    "threading",
    "select",
    "asyncio",
    "os",
    "random",
    "secrets",
    "psutil",
}
CLOCKS = {"now", "utcnow", "today"}
"""What asks `datetime` or `date` for the time; the types themselves are data."""
EXTRAS = {
    "mlflow",
    "sklearn",
    "pyspark",
    "mleap",
    "plotly",
    "botocore",
    "docker",
    "databricks",
    "azure",
    "opentelemetry",
}
HEAVY = {"pandas", "scipy", "rich", "jinja2", "pyarrow", *EXTRAS}


def named(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def imported(path: Path, *, at_the_top: bool = False, types: bool = True) -> set[str]:
    """Full names of what a module imports; `at_the_top`: only at import time, and not for type checking.

    Without `types` what is imported for type checking is left out, wherever it stands.
    """
    tree = ast.parse(path.read_text())
    if not types:
        tree.body = [n for n in tree.body if not isinstance(n, ast.If)]
    nodes = [n for n in tree.body if not isinstance(n, ast.If)] if at_the_top else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: an import without its full name goes unseen"
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def packages(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def test_imported_sees_an_import(tmp_path: Path) -> None:
    """The reader of imports finds one inside a function, and tells it from one at the top."""
    path = tmp_path / "module.py"
    path.write_text("import json\ndef f():\n    from locust import User\n")
    assert packages(imported(path)) == {"json", "locust"}
    assert packages(imported(path, at_the_top=True)) == {"json"}


def test_imported_refuses_what_it_can_not_place(tmp_path: Path) -> None:
    """A relative import would pass for one of no package."""
    path = tmp_path / "module.py"
    path.write_text("from ..plugin import run\n")
    with pytest.raises(AssertionError, match="full name"):
        imported(path)


def test_each_station_has_modules() -> None:
    """A package that is not there would pass for pure."""
    assert all(len(modules) > 2 for modules in STATIONS.values())


@pytest.mark.parametrize("path", PURE, ids=named)
def test_the_middle_is_pure(path: Path) -> None:
    """No clock, no socket, no Locust and no printing between rows and verdict."""
    assert not packages(imported(path)) & IMPURE
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    assert not [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"]
    assert not [n for n in calls if isinstance(n.func, ast.Attribute) and n.func.attr in CLOCKS]


@pytest.mark.parametrize("path", PURE, ids=named)
def test_nothing_flows_back(path: Path) -> None:
    """A station of the way knows those before it and nothing else, so none is impure by another's help."""
    before = {*FLOW[: FLOW.index(path.relative_to(SOURCE).parts[0]) + 1], *COMMON}
    ours = [full.split(".") for full in imported(path) if full.startswith("scorebench.")]
    assert {parts[1] for parts in ours} <= before


def room_of(module: str) -> str:
    """The room that a module such as `scorebench.plugin.users.user` is in, the smallest there is."""
    inside = module.removeprefix("scorebench").removeprefix(".") or "__init__"
    if inside == "__version__":
        return "errors"  # a constant, for whoever prints it
    parts = inside.split(".")
    return next((name for n in (2, 1) if (name := ".".join(parts[:n])) in ROOMS), "__init__")


def upward(path: Path) -> set[str]:
    """The imports of a module that lead to a room above its own."""
    own = ROOMS.index(room_of(module_of(path)))
    names = {name for name in imported(path) if name.startswith("scorebench.")}
    return {name for name in names if ROOMS.index(room_of(name)) > own}


def module_of(path: Path) -> str:
    """`scorebench.runs.launch` of its file."""
    inside = [part for part in path.relative_to(SOURCE).with_suffix("").parts if part != "__init__"]
    return ".".join(["scorebench", *inside])


def test_each_room_has_its_place() -> None:
    """Every module is in a room of the list, so that none can be imported from anywhere."""
    assert {room_of(module_of(path)) for path in MODULES} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_import_leads_upward(path: Path) -> None:
    """Rooms stand on each other in one order, so there is no circle."""
    assert not upward(path)


def test_an_import_that_leads_upward_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one inside a function, and one of a package's name."""
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
    (tmp_path / "runs").mkdir()
    path = tmp_path / "runs" / "launch.py"
    path.write_text("from scorebench import folders, api\ndef f():\n    from scorebench.cli import main\n")
    assert upward(path) == {"scorebench.api", "scorebench.cli", "scorebench.cli.main"}


def circle(paths: list[Path]) -> list[str]:
    """The modules of one circle of imports, imports for types included; empty where there is none."""
    modules = {module_of(path): path for path in paths}
    graph = {}
    for module, path in modules.items():
        found = imported(path) & set(modules)
        packages_alone = {name for name in found if any(other.startswith(f"{name}.") for other in found)}
        graph[module] = found - packages_alone - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_of_files() -> None:
    """Each file can be read after those that it imports, also inside a room."""
    assert circle(MODULES) == []


def test_a_circle_of_files_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that exists for types alone."""
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("from scorebench import other\n")
    other.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from scorebench.one import x\n"
    )
    assert set(circle([one, other])) == {"scorebench.one", "scorebench.other"}
    assert circle([one]) == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_only_the_plugin_knows_locust(path: Path) -> None:
    """Locust is imported in plugin/ and nowhere else."""
    if "plugin" not in path.relative_to(SOURCE).parts:
        assert "locust" not in packages(imported(path))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_extras_are_imported_where_used(path: Path) -> None:
    """No module asks for an extra when it is imported."""
    if "dockerfiles" not in path.parts and path.parent.name != "mleap_spark":
        assert not packages(imported(path, at_the_top=True)) & EXTRAS


IGNORANCE = {
    "Locust": {"locust"},
    "gevent": {"gevent"},
    "clock": {"time"},
    "time": {"time"},
    "socket": {"socket", "_socket", "ssl"},
    "HTTP": {"http", "httptools", "urllib.request", "scorebench.answers.http_message"},
    "MLflow": {"mlflow"},
    "file": {"pathlib", "os", "tempfile", "shutil", "scorebench.folders"},
    "wording": {"scorebench.report"},
    "report": {"scorebench.report"},
    "drawing": {"scorebench.report.svg"},
    "verdict": {"scorebench.verdicts"},
    "limit": {"scorebench.verdicts.limits"},
    "finding": {"scorebench.verdicts.findings", "scorebench.verdicts.generator_findings"},
    "metric": {"scorebench.figures.metric", "scorebench.figures.metrics"},
    "figure": {"scorebench.figures.summary", "scorebench.figures.metric", "scorebench.figures.metrics"},
    "histogram": {"hdrh", "scorebench.recordings.histogram"},
    "statistics": {"scipy", "scorebench.figures"},
    "option": {"scorebench.options.table"},
    "run": {"locust", "scorebench.plugin.lifecycle.run", "scorebench.runs.launch", "scorebench.runs.publish"},
    "server": {"scorebench.servers"},
    "process": {"subprocess", "multiprocessing", "psutil"},
    "container": {"docker"},
    "image": {"scorebench.servers.images"},
    "payload": {"scorebench.payloads"},
    "row": {"pandas", "scorebench.payloads.rows"},
    "request": {"scorebench.client", "scorebench.plugin.users.requests"},
    "call": {"scorebench.recordings.calls"},
    "load": {"scorebench.load", "scorebench.client.connection"},
    "seed": {"random"},
    "secret": {"scorebench.client.credentials"},
}
"""What a docstring may say its module doesn't know ("no clock", "nothing of HTTP") → what it can't import."""


def unknown_to(path: Path) -> set[str]:
    """The words of IGNORANCE that follow a "no" or "nothing of" in the first two paragraphs of a module."""
    paragraphs = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[:2]
    said = " ".join(" ".join(paragraphs).split())
    words = re.findall(r"\bno (\w+)", said)
    words += [word for rest in re.findall(r"\bnothing of ([^.;:]*)", said) for word in rest.split()]
    bare = {word.strip(",") for word in words}
    return {word if word in IGNORANCE else word.removesuffix("s") for word in bare} & set(IGNORANCE)


def broken_promises(path: Path) -> dict[str, set[str]]:
    """What a module says it doesn't know, and imports all the same; imports for types alone don't count."""
    found = imported(path, types=False)
    broken = {
        word: {name for name in found for root in IGNORANCE[word] if f"{name}.".startswith(f"{root}.")}
        for word in unknown_to(path)
    }
    return {word: names for word, names in broken.items() if names}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_each_module_says_what_it_knows(path: Path) -> None:
    """Every module opens with a docstring, and imports nothing that this says it doesn't know."""
    assert ast.get_docstring(ast.parse(path.read_text()))
    assert broken_promises(path) == {}


def test_promises_are_found(tmp_path: Path) -> None:
    """Promises in both forms and over two paragraphs are read, and a broken one is seen."""
    path = tmp_path / "module.py"
    path.write_text(
        '"""Figures; no files, no wording.\n\nKnows nothing of clocks or MLflow: see no evil."""\n'
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mlflow\n"
        "def f():\n    from time import sleep\n    import pathlib_of_ours\n"
    )
    assert unknown_to(path) == {"file", "wording", "clock", "MLflow"}
    assert broken_promises(path) == {"clock": {"time", "time.sleep"}}


def test_many_modules_make_a_promise() -> None:
    """A reader that understood none of them would find them all kept."""
    assert sum(bool(unknown_to(path)) for path in MODULES) > len(MODULES) / 4


LINES, FUNCTION_LINES, METHODS = 300, 40, 20


def too_large(path: Path, name: str) -> set[str]:
    """The module, its functions and its classes that are over their size."""
    text = path.read_text()
    found = {name} if len(text.splitlines()) > LINES else set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES:
            found.add(f"{name} {node.name}")
        elif isinstance(node, ast.ClassDef):
            methods = sum(isinstance(inner, ast.FunctionDef) for inner in node.body)
            found |= {f"{name} {node.name}"} if methods > METHODS else set()
    return found


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_nothing_is_too_large(path: Path) -> None:
    """A file has at most 300 lines, a function 40, a class 20 methods."""
    assert too_large(path, named(path)) == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\n" * 300, set()),
        ("\n" * 301, {"m.py"}),
        ("def f():\n" + "    x = 1\n" * 39, set()),
        ("def f():\n" + "    x = 1\n" * 40, {"m.py f"}),
        ("class C:\n" + "".join(f"    def f{n}(self): ...\n" for n in range(20)), set()),
        ("class C:\n" + "".join(f"    def f{n}(self): ...\n" for n in range(21)), {"m.py C"}),
    ],
)
def test_too_large_is_measured(tmp_path: Path, text: str, found: set[str]) -> None:
    """At the limit it is well, and one beyond it is not."""
    path = tmp_path / "m.py"
    path.write_text(text)
    assert too_large(path, "m.py") == found


def test_help_imports_nothing_heavy() -> None:
    """`scorebench --help` must come at once: what takes long to import is not imported for it."""
    there = packages_after(
        "import contextlib, io\n"
        "from scorebench.cli import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main(['--help'])"
    )
    assert "scorebench" in there
    assert not there & {*HEAVY, "numpy", "gevent", "locust"}


def packages_after(code: str, *arguments: str) -> set[str]:
    """The packages that are there after `code`, in a process of its own."""
    told = f"import sys\n{code}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    ended = subprocess.run(
        [sys.executable, "-c", told, *arguments], capture_output=True, text=True, check=True
    )
    return set(ended.stdout.split())


def test_the_plugin_imports_what_every_run_needs_alone() -> None:
    """pandas takes as long to import as Locust, scipy half of that: who reads no rows doesn't pay for it.

    jinja2 comes with Locust's own page.
    """
    there = packages_after("import scorebench.plugin\nclass Mine(scorebench.plugin.ScoringUser): pass")
    assert "locust" in there
    assert not there & ({*HEAVY, "matplotlib", "prometheus_client"} - {"jinja2"})


def test_a_worker_finds_pandas_imported() -> None:
    """With --processes, once before Locust forks: else each worker would import it again."""
    code = (
        "from scorebench.plugin import ScoringUser\nprint('pandas' in sys.modules)\n"
        "class Mine(ScoringUser): pass"
    )
    there = packages_after(code, "--processes", "2")
    assert "False" in there
    assert "pandas" in there


def test_one_call_needs_no_scipy() -> None:
    """The bounds of a few calls, and how many are needed, are sums of few terms."""
    there = packages_after(
        "from scorebench.figures.percentiles import MOST_ADDED, QUANTILES, estimate, upper_bound\n"
        "for q in QUANTILES.values():\n"
        "    estimate([1, 2], [MOST_ADDED - 1, 1], q), upper_bound([1, 2], [MOST_ADDED - 1, 1], q)\n"
    )
    assert not there & {"scipy", "pandas"}


TESTS = Path(__file__).parent
APART = [*(TESTS / "strangers").glob("*.py"), *(TESTS / "plugged").glob("*.py")]
"""Locustfiles, and checks of the plugin: tests only run them in processes of their own."""


@pytest.mark.parametrize("path", sorted(set(TESTS.rglob("*.py")) - set(APART)), ids=lambda p: p.name)
def test_tests_leave_their_process_as_it_is(path: Path) -> None:
    """Locust patches threads and sockets when it is imported, pytest's own too: only subprocesses may."""
    found = imported(path)
    assert "locust" not in packages(found)
    assert not [name for name in found if name.startswith("scorebench.plugin")]
