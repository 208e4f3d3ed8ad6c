"""deploy/kubernetes on a real control plane: etcd and kube-apiserver, which store what a cluster would run.

No node is there, so no container runs: what a node would report (a pod that runs, a pod that ended) comes
from the test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import requirements
from tests.commands import ROOT
from tests.scoring_server import certificates

from scorebench.servers import ports

pytestmark = pytest.mark.timeout(300)
FOLDER = ROOT / "deploy" / "kubernetes"
TOKEN = "a-token-that-only-this-test-knows"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
"""The strictest of Kubernetes' own standards for pods."""
KUBECTL = """#!/bin/sh
exec {kubectl} --kubeconfig {config} "$@"
"""


class ControlPlane:
    """A cluster without nodes, and a kubectl that talks to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"https://127.0.0.1:{ports.claim(0)}"
        self._papers = certificates(folder)
        program = folder / "kubectl"
        program.write_text(KUBECTL.format(kubectl=shutil.which("kubectl"), config=folder / "config"))
        program.chmod(0o700)
        (folder / "config").write_text(json.dumps(self._config()))
        (folder / "tokens.csv").write_text(f"{TOKEN},owner,1,system:masters\n")
        (folder / "tokens.csv").chmod(0o600)

    def _config(self) -> dict[str, Any]:
        cluster = {"server": self.url, "certificate-authority": str(self._papers.ca)}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "owner", "user": {"token": TOKEN}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "owner"}}],
            "current-context": "test",
        }

    def commands(self) -> list[list[str]]:
        """etcd's and kube-apiserver's, both on loopback and with TLS."""
        store, peers = (f"{scheme}://127.0.0.1:{ports.claim(0)}" for scheme in ("https", "http"))
        paper, ca = str(self._papers.server), str(self._papers.ca)
        etcd = ["etcd", "--data-dir", str(self.folder / "etcd"), "--cert-file", paper, "--key-file", paper]
        etcd += ["--listen-client-urls", store, "--advertise-client-urls", store]
        etcd += ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]
        etcd += ["--initial-cluster", f"default={peers}"]
        api = ["kube-apiserver", "--etcd-servers", store, "--etcd-cafile", ca]
        api += ["--bind-address", "127.0.0.1", "--secure-port", self.url.rpartition(":")[2]]
        api += ["--tls-cert-file", paper, "--tls-private-key-file", paper]
        api += ["--service-account-issuer", self.url, "--service-account-key-file", paper]
        api += ["--service-account-signing-key-file", paper, "--service-cluster-ip-range", "10.89.128.0/24"]
        api += ["--token-auth-file", str(self.folder / "tokens.csv"), "--authorization-mode", "RBAC"]
        return [etcd, api]

    def tried(self, *words: str, input: object = None) -> subprocess.CompletedProcess[str]:
        """`kubectl WORDS`; `input` is an object to read as a manifest."""
        return subprocess.run(
            [str(self.folder / "kubectl"), *words],
            input=None if input is None else json.dumps(input),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def __call__(self, *words: str, input: object = None) -> str:
        done = self.tried(*words, input=input)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def space(self, name: str) -> Sequence[str]:
        """A namespace that takes restricted pods alone, with the account that a controller would make."""
        self("create", "namespace", name)
        self("label", "namespace", name, RESTRICTED)
        self("--namespace", name, "create", "serviceaccount", "default")
        return "--namespace", name


@contextmanager
def started(commands: list[list[str]], folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """They run, each with its log in `folder`; ended afterwards, the last first."""
    processes = []
    try:
        for command in commands:
            with (folder / f"{command[0]}.log").open("wb") as log:
                processes.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log))
        yield processes
    finally:
        for process in reversed(processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    requirements.control_plane()
    folder = tmp_path_factory.mktemp("plane")
    plane = ControlPlane(folder)
    with started(plane.commands(), folder) as processes:

        def is_ready() -> bool:
            assert all(one.poll() is None for one in processes), logs(folder)
            return plane.tried("get", "--raw", "/readyz").stdout == "ok"

        until(is_ready, lambda: logs(folder))
        yield plane


def logs(folder: Path) -> str:
    return "\n".join(path.read_text()[-3000:] for path in sorted(folder.glob("*.log")))


def until(condition: Callable[[], object], why: Callable[[], str], timeout_s: float = 120) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, why()
        time.sleep(0.2)


def manifests() -> list[dict[str, Any]]:
    return [one for path in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]


def lost(asked: Any, stored: Any, place: str = "") -> list[str]:
    """Where `stored` lacks, or has otherwise, what was asked for. A cluster adds to it what it likes."""
    if isinstance(asked, dict) and isinstance(stored, dict):
        return [one for key in asked for one in lost(asked[key], stored.get(key), f"{place}.{key}")]
    if isinstance(asked, list) and isinstance(stored, list) and len(asked) == len(stored):
        return [
            found
            for number, pair in enumerate(zip(asked, stored, strict=True))
            for found in lost(*pair, f"{place}[{number}]")
        ]
    return [] if asked == stored else [f"{place}: {asked!r} became {stored!r}"]


def test_the_comparison_sees_a_field_that_was_dropped() -> None:
    assert lost({"a": [{"b": 1}], "c": 2}, {"a": [{"b": 1, "x": 0}], "c": 2, "y": 3}) == []
    assert lost({"a": [{"b": 1}]}, {"a": [{}]}) == [".a[0].b: 1 became None"]


def test_all_is_stored_as_it_was_written(plane: ControlPlane) -> None:
    """A server-side dry run stores nothing; then each object is read back with all fields of its manifest."""
    space = plane.space("stored")
    told = plane(*space, "apply", "--dry-run=server", "--validate=strict", "-f", str(FOLDER))
    assert told.count("created (server dry run)") == len(manifests()) == 4
    assert plane(*space, "get", "jobs,services,configmaps", "-o", "name").split() == []
    plane(*space, "apply", "--validate=strict", "-f", str(FOLDER))
    for asked in manifests():
        kind, name = asked["kind"], asked["metadata"]["name"]
        stored = json.loads(plane(*space, "get", kind, name, "-o", "json"))
        assert lost(asked, stored) == [], f"{kind} {name}"
    assert plane(*space, "diff", "-f", str(FOLDER)) == ""


def test_a_field_that_kubernetes_does_not_know_is_refused(plane: ControlPlane) -> None:
    space = plane.space("misspelt")
    (worker,) = [one for one in manifests() if one["metadata"]["name"] == "scorebench-worker"]
    worker["spec"]["paralelism"] = 4
    done = plane.tried(*space, "apply", "--validate=strict", "-f", "-", input=worker)
    assert done.returncode != 0
    assert 'unknown field "spec.paralelism"' in done.stderr


def pod_of(job: dict[str, Any], name: str) -> dict[str, Any]:
    """The pod that the controller of jobs makes of it."""
    template = job["spec"]["template"]
    metadata = {"name": name, "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def test_its_pods_are_let_in_where_only_restricted_ones_are(plane: ControlPlane) -> None:
    """The standard `restricted`: not as root, no more rights, no privileges. Others are refused."""
    space = plane.space("restricted")
    jobs = [one for one in manifests() if one["kind"] == "Job"]
    assert len(jobs) == 2
    for job in jobs:
        pod = pod_of(job, job["metadata"]["name"])
        plane(*space, "create", "-f", "-", input=pod)
        del pod["spec"]["securityContext"]
        pod["metadata"]["name"] += "-as-root"
        done = plane.tried(*space, "create", "-f", "-", input=pod)
        assert done.returncode != 0
        assert "violates PodSecurity" in done.stderr


def test_the_script_starts_a_run_and_cleans_up(plane: ControlPlane, tmp_path: Path) -> None:
    """run.sh: all is there, with the image that was named; a pod that fails ends it with 1, and all is gone.

    The test makes the pod and has it run and fail. The ConfigMap stays, as the script says.
    """
    space = plane.space("script")
    words = [str(FOLDER / "run.sh"), "script", "registry.example/load:1"]
    environment = os.environ | {"PATH": f"{plane.folder}:{os.environ['PATH']}"}
    pipe = subprocess.PIPE
    script = subprocess.Popen(words, cwd=tmp_path, env=environment, text=True, stdout=pipe, stderr=pipe)
    try:
        jobs = ("get", "jobs", "-o", "json")
        until(lambda: len(json.loads(plane(*space, *jobs))["items"]) == 2, lambda: str(script.poll()))
        stored = json.loads(plane(*space, *jobs))["items"]
        pods = [pod_of(job, job["metadata"]["name"]) for job in stored]
        assert {one["image"] for pod in pods for one in pod["spec"]["containers"]} == {words[2]}
        (master,) = [pod for pod in pods if pod["metadata"]["name"] == "scorebench-master"]
        plane(*space, "create", "-f", "-", input=master)
        for phase in ("Running", "Failed"):
            patch = json.dumps({"status": {"phase": phase}})
            plane(*space, "patch", "pod", "scorebench-master", "--subresource=status", "-p", patch)
            time.sleep(1.0)
        out, err = script.communicate(timeout=90)
    finally:
        script.kill()
        script.communicate()
    assert script.returncode == 1, out + err
    assert "the run ended without a report" in err
    left = plane(*space, "get", "jobs,services,configmaps", "-o", "name").split()
    assert left == ["configmap/scorebench"]
