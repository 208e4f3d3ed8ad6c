"""deploy/kubernetes: manifests by the published schemas, and its script against a kubectl that writes down.

No cluster is asked: `kubectl` is a script of this test, which plays one that has run the job.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.commands import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
MANIFESTS = sorted(FOLDER.glob("*.yaml"))
VERSIONS = ("1.30", kubernetes_validate.latest_version())


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


ALL = [(path.name, one) for path in MANIFESTS for one in documents(path)]
PODS = {
    f"{name} {one['metadata']['name']}": one["spec"]["template"]["spec"]
    for name, one in ALL
    if one["kind"] == "Job"
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "manifest"), ALL, ids=[f"{name}-{one['kind']}" for name, one in ALL])
def test_each_manifest_is_what_kubernetes_takes(name: str, manifest: dict[str, Any], version: str) -> None:
    """Strictly: a field that Kubernetes would drop is an error."""
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelt_field_would_be_seen() -> None:
    (job,) = [one for _, one in ALL if one["metadata"]["name"] == "scorebench-worker"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**job, "spec": {**job["spec"], "paralelism": 4}}, "1.30", strict=True)


@pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
def test_every_pod_runs_as_nobody_and_writes_to_its_own_folders_alone(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 65534
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        asked = container["securityContext"]
        assert asked["readOnlyRootFilesystem"] is True
        assert asked["allowPrivilegeEscalation"] is False
        assert asked["capabilities"] == {"drop": ["ALL"]}
        assert container["image"] == "scorebench-load"
        assert "memory" in container["resources"]["limits"]


def test_the_number_of_workers_is_the_same_everywhere() -> None:
    (settings,) = documents(FOLDER / "settings.yaml")
    (workers,) = documents(FOLDER / "workers.yaml")
    assert {int(settings["data"]["WORKERS"])} == {
        workers["spec"]["parallelism"],
        workers["spec"]["completions"],
    }


def test_no_secret_is_in_a_manifest() -> None:
    assert not [one for _, one in ALL if one["kind"] == "Secret"]


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


@pytest.mark.parametrize("code", [0, 3])
def test_the_master_ends_with_the_runs_exit_code(tmp_path: Path, code: int) -> None:
    """Its script, with a `locust` that writes its arguments down: `<` and `%` arrive as they are."""
    (settings,) = documents(FOLDER / "settings.yaml")
    pod = next(one for name, one in PODS.items() if name.endswith("scorebench-master"))
    master = next(one for one in pod["containers"] if one["name"] == "master")
    program(tmp_path, "locust", f'for one in "$@"; do echo "$one"; done > said\nexit {code}\n')
    text = master["args"][0].replace("/work/reports", str(tmp_path))
    done = subprocess.run(
        [*master["command"], text],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **settings["data"]},
        check=False,
    )
    assert done.returncode == code
    assert (tmp_path / "exit-code").read_text() == f"{code}\n"
    said = (tmp_path / "said").read_text().splitlines()
    assert said[said.index("--host") + 1] == settings["data"]["TARGET"]
    assert [said[n + 1] for n, word in enumerate(said) if word == "--limit"] == ["p99<200ms", "valid>99.9%"]


KUBECTL = r"""
echo "$@" >> {folder}/asked
case "$*" in
*"get pods"*) echo pod/scorebench-master-x ;;
*"apply -f -"*) cat >> {folder}/applied ;;
*"cat /work/reports/exit-code"*) cat {folder}/code ;;
*" tar "*) tar -C {folder}/there -cf - . ;;
esac
"""


def start(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    there = folder / "there" / "2026-01-01T000000-model"
    there.mkdir(parents=True)
    (there / "report.html").write_text("report")
    (folder / "code").write_text(code)
    (folder / "work").mkdir()
    program(folder, "kubectl", KUBECTL.format(folder=folder))
    return subprocess.run(
        [str(FOLDER / "run.sh"), "team-a", "registry.example/load:1"],
        cwd=folder / "work",
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("code", ["0", "3"])
def test_the_script_copies_the_report_and_ends_as_the_run_did(tmp_path: Path, code: str) -> None:
    done = start(tmp_path, code)
    assert done.returncode == int(code), done.stderr
    assert (tmp_path / "work" / "reports" / "2026-01-01T000000-model" / "report.html").read_text() == "report"
    asked = (tmp_path / "asked").read_text().splitlines()
    assert all(one.startswith("--namespace team-a ") for one in asked)
    assert "touch /work/reports/copied" in asked[-2]
    assert "delete" in asked[0]
    assert "delete" in asked[-1]  # what it started is gone at the end
    applied = (tmp_path / "applied").read_text()
    assert set(re.findall(r"image: (\S+)", applied)) == {"registry.example/load:1"}


def test_the_image_is_built_from_the_lock_and_runs_as_nobody() -> None:
    """What the live test starts, read here too, since most changes are made without an engine."""
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r load.txt" in text
    assert re.search(r"^USER 65534:65534$", text, re.MULTILINE)
    pinned = re.findall(r"^[a-z0-9-]+==", (ROOT / "locks" / "load.txt").read_text(), re.MULTILINE)
    assert "locust==" in pinned
    assert "mlflow==" not in pinned  # a generator serves no model
