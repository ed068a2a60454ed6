"""A bare git repository, an S3 server, and MLflow on PostgreSQL with its artifacts on S3: what people share."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import tiny, twin_site
from sandbox.loopback import postgres
from stages.common import settings
from tests.cycle.servers import S3, missing_parts
from tests.server import serve

YEARS = [2016, 2017]
LEFT_OUT = ("sites/", "metrics/", "dvc.lock", "data.dvc", "models/", "params.yaml")
ENVIRONMENT = Path(sys.prefix)


@dataclass
class Shared:
    """What all clones share."""

    home: Path
    s3: S3
    tracking: str
    clones: dict[str, Clone] = field(default_factory=dict)

    def clone(self, name: str) -> Clone:
        """A clone by someone with this name, made when it is first asked for."""
        if name not in self.clones:
            clone = Clone(self, self.home / name, self.tracking)
            subprocess.run(["git", "clone", "--quiet", str(self.home / "bare.git"), str(clone.folder)], check=True)
            clone.done("git", "config", "user.name", name)
            clone.done("git", "config", "user.email", f"{name}@localhost")
            (clone.folder / ".venv").symlink_to(ENVIRONMENT)  # make takes the environment from there
            with (clone.folder / ".git/info/exclude").open("a") as stream:
                stream.write(".venv\n")
            self.clones[name] = clone
        return self.clones[name]


@dataclass
class Clone:
    """Somebody's working tree."""

    shared: Shared
    folder: Path
    tracking: str

    @property
    def environment(self) -> dict[str, str]:
        hidden = ("DVC", "GIT", "MLFLOW", "AWS")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
        return inherited | self.shared.s3.environment | {
            "PATH": f"{ENVIRONMENT}/bin:{os.environ['PATH']}", "MLFLOW_TRACKING_URI": self.tracking,
            "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONPATH": str(self.folder),
        }  # fmt: skip

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Output and errors together, as somebody sees them."""
        process = self.start(*command)
        output, _ = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, output)

    def interrupted(self, at: str, *command: str) -> str:
        """Output of a command that somebody stops with Ctrl-C once a line begins with `at`."""
        lines = []
        # A shell's background jobs, and all that they start, ignore Ctrl-C.
        with self.start("env", "--default-signal=INT", *command) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if line.startswith(at):
                    time.sleep(1)
                    os.killpg(process.pid, signal.SIGINT)
        assert process.returncode != 0, lines
        return "".join(lines)

    def done(self, *command: str) -> str:
        result = self.run(*command)
        assert result.returncode == 0, result.stdout[-6000:]
        return result.stdout

    @staticmethod
    def make_command(target: str) -> tuple[str, ...]:
        """A target, in the environment that the tests run in."""
        return ("make", "--silent", "-o", ".venv/.installed", *target.split())

    def make(self, target: str) -> str:
        return self.done(*self.make_command(target))

    def commit(self, message: str) -> None:
        """Commit what a retraining changed."""
        self.done("git", "add", "dvc.lock", "data.dvc", "metrics", "params.yaml")
        self.done("git", "commit", "--quiet", "--message", message)

    def change(self, **sections: Any) -> None:
        """Change parameters: a section's keys, or a whole list."""
        path = self.folder / "params.yaml"
        content = yaml.safe_load(path.read_text())
        for name, values in sections.items():
            content[name] = content[name] | values if isinstance(values, dict) else values
        path.write_text(yaml.safe_dump(content, sort_keys=False))


def first_commit(folder: Path) -> None:
    """This project with a small twin as its site, and nothing run yet."""
    listed = subprocess.run(["git", "ls-files"], cwd=tiny.ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        source, target = tiny.ROOT / name, folder / name
        if not name.startswith(LEFT_OUT) and source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    content = twin_site.params(YEARS)
    content["train"] |= {"epochs": 8}
    content["gates"] = {
        "iou_over_baseline_min": -1.0,
        "annual_change_pct_max": 50.0,
        "baseline_step_pct_max": 50.0,
        "area_to_outlines_ratio": [0.1, 3],
        "outside_outlines_fraction_max": 1.0,
        "lasting_outside_fraction_max": 1.0,
        "sigma_pct_max": 100.0,
        "trend_pct_max": 50.0,
    }
    content["promote"] = {
        "iou_margin": 0.2, "slice_margin": 0.4, "iou_over_baselines_min": -0.3, "area_bias_pct_max": 70.0,
        "calibration_error_max": 0.4,
    }  # fmt: skip
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


@pytest.fixture(scope="session")
def shared() -> Iterator[Shared]:
    if parts := missing_parts():
        reason = f"run bin/cycle-servers: there is no {', '.join(parts)}"
        if settings.lookup(settings.CYCLE_REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    home = Path(tempfile.mkdtemp(prefix="cycle-"))
    home.chmod(0o755)
    s3 = S3(home / "s3")
    try:
        s3.start()
        for bucket in ("glaciers", "mlflow"):
            s3.make_bucket(bucket)
        (home / "mlflow").mkdir()
        with postgres(home) as db:
            database = f"postgresql+psycopg2://{db['PGUSER']}@{db['PGHOST']}:{db['PGPORT']}/{db['PGDATABASE']}"
            with serve(home / "mlflow", database=database, artifacts="s3://mlflow/runs", **s3.environment) as tracking:
                shared = Shared(home, s3, tracking)
                start_repository(shared)
                yield shared
    finally:
        s3.die()
        shutil.rmtree(home, ignore_errors=True)


def start_repository(shared: Shared) -> None:
    bare = shared.home / "bare.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", str(bare)], check=True)
    anna = shared.clone("anna")
    first_commit(anna.folder)
    anna.done("git", "add", "--all")
    anna.done("git", "commit", "--quiet", "--message", "A small site")
    anna.done("git", "push", "--quiet", "--set-upstream", "origin", "HEAD:main")
