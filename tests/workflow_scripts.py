"""Run a workflow's own scripts as GitHub's runner does, on clones of a repository on disk.

Programs that reach outside (``gh``), or take hours (``make retrain``), are replaced by small scripts that record how
they were called.
"""

from __future__ import annotations

import base64
import gzip
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""What ``shell: bash`` means to GitHub."""

SITES = {
    "params.yaml": "epochs: 1\n", "data.dvc": "data 1\n", "dvc.lock": "lock 1\n", "dvc.yaml": "stages\n",
    "metrics/train.json": "{}\n", "metrics/old.json": "{}\n", "stages/train/net.py": "width = 16\n",
    "sites/everest/params.yaml": "epochs: 1\n", "sites/everest/data.dvc": "data 1\n",
    "sites/everest/dvc.lock": "lock 1\n", "sites/gangotri/params.yaml": "epochs: 1\n",
    "models/start/dvc.lock": "lock 1\n", ".gitignore": "artifacts/\n",
}  # fmt: skip
REMOTE = {"DVC_REMOTE_URL": "s3://bucket/glacier", "MLFLOW_TRACKING_URI": "https://mlflow.example"}


def read(workflow: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / f".github/workflows/{workflow}.yml").read_text()))


def step_of(workflow: str, job: str, name: str) -> dict[str, Any]:
    return next(step for step in read(workflow)["jobs"][job]["steps"] if step.get("name") == name)


@dataclass(frozen=True)
class Ran:
    """How a step ended."""

    code: int
    log: str
    """Output and errors together."""
    outputs: dict[str, str]

    @property
    def patched(self) -> list[str]:
        """Files that the step's patch touches."""
        text = gzip.decompress(base64.b64decode(self.outputs["patch"])).decode()
        return sorted(re.findall(r"^diff --git a/\S+ b/(\S+)$", text, re.M))


@dataclass(frozen=True)
class Machine:
    """A job's runner: a fresh checkout, and a folder of programs that go before the system's."""

    home: Path

    @property
    def checkout(self) -> Path:
        return self.home / "checkout"

    def stub(self, program: str, script: str = "") -> None:
        path = self.home / "bin" / program
        path.write_text(f'#!/usr/bin/env bash\nprintf "%s\\n" "$*" >> "{self.home}/{program}.calls"\n{script}\n')
        path.chmod(0o755)

    def calls(self, program: str) -> list[str]:
        path = self.home / f"{program}.calls"
        return path.read_text().splitlines() if path.exists() else []

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.checkout, env=self.environment(), capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | None]) -> None:
        """Write files, or remove those that are None."""
        for name, text in files.items():
            path = self.checkout / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Commit files and push them; return the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("-c", "user.name=anna", "-c", "user.email=anna@localhost", "commit", "--quiet", "--message", "Change")
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def run(self, workflow: str, job: str, name: str, **variables: str) -> Ran:
        """Run a step; an expression of its `env:` that `variables` lacks is empty, as a secret that nobody set."""
        step = step_of(workflow, job, name)
        declared = {key: "" if "${{" in str(value) else str(value) for key, value in step.get("env", {}).items()}
        assert set(variables) <= set(declared), "the step gets no such variable"
        outputs = self.home / "outputs"
        outputs.write_text("")
        script = self.home / "script.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            [*SHELL, script], cwd=self.checkout, env=self.environment() | declared | variables, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        lines = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        return Ran(done.returncode, done.stdout, lines)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.home}/bin:{os.environ['PATH']}", "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1",
            "GITHUB_OUTPUT": str(self.home / "outputs"), "RUNNER_TEMP": str(self.home), "LC_ALL": "C.UTF-8",
        }  # fmt: skip


@dataclass(frozen=True)
class Hub:
    """A bare repository that machines clone and push to."""

    home: Path

    @classmethod
    def start(cls, home: Path, files: dict[str, str]) -> Hub:
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", home / "origin.git"], check=True)
        hub = cls(home)
        hub.machine("first").commit(files)
        return hub

    def machine(self, name: str) -> Machine:
        """Make a runner with a checkout of what the repository has now; its `gh` does nothing."""
        machine = Machine(self.home / name)
        (machine.home / "bin").mkdir(parents=True)
        subprocess.run(["git", "clone", "--quiet", self.home / "origin.git", machine.checkout], check=True)
        machine.git("switch", "--quiet", "--force-create", "main")
        machine.stub("gh")
        return machine

    def git(self, *arguments: str) -> str:
        """Return what git prints in the bare repository."""
        command = ["git", "--git-dir", str(self.home / "origin.git"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
