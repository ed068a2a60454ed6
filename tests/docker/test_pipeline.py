"""The whole DAG of a small site in containers: the same lock as natively, and only what must run runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine import Engine
from sandbox import tiny
from stages.common import settings
from tests.repository import ALONE
from tests.server import serve

pytestmark = pytest.mark.engine

BIN = Path(sys.executable).parent
STAGES = {"prepare", "labels", "patches", "train", "evaluate", "predict", "area", "report", "track", "gate"}


class Repository:
    """A repository of its own, with the code copied, so that a test may change it, and one small site."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.site = root / "sites/tiny"

    def run(self, *command: str, folder: Path | None = None, **environment: str) -> str:
        """Output of a command that must succeed, in the site's folder."""
        variables = {key: value for key, value in os.environ.items() if not key.startswith(("DVC", "GIT", "MLFLOW"))}
        variables |= {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": ".", **environment}
        result = subprocess.run(
            command, cwd=folder or self.site, env=variables, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, f"{command}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
        return result.stdout + result.stderr

    def repro(self, runner: str, **environment: str) -> set[str]:
        """Run what is out of date; names of the stages that ran."""
        output = self.run("dvc", "repro", "dvc.yaml", RUNNER=runner, **environment)
        # DVC names a stage by its path, seen from the folder it was called in.
        return {name.rpartition(":")[2] for name in re.findall(r"Running stage '(.+?)'", output)}

    def lock(self) -> str:
        return (self.site / "dvc.lock").read_text()


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Repository:
    """The repository after a native run."""
    repository = Repository(tmp_path_factory.mktemp("native"))
    root, site = repository.root, repository.site
    for name in ("stages", "docker"):
        shutil.copytree(tiny.ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "params.yaml", "pyproject.toml", ".dvcignore", ".gitignore", "README.md"):
        shutil.copy(tiny.ROOT / name, root)
    tiny.make_site(site)
    for name in ("stages", "docker", "dvc.yaml"):
        (site / name).unlink()
        (site / name).symlink_to(Path("../..") / name)
    (root / "mlruns").mkdir()
    repository.run("git", "init", "--quiet", folder=root)
    repository.run("dvc", "init", "--quiet", folder=root)
    (root / ".dvc/config").write_text(ALONE)
    repository.run("docker/run", "python", "-m", "stages.ingest", RUNNER="native")
    repository.run("dvc", "commit", "--quiet", "--force", "data.dvc")
    repository.repro("native")
    repository.run("git", "add", ".", folder=root)
    repository.run("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "x", folder=root)
    return repository


@pytest.fixture
def repository(native: Repository, tmp_path: Path) -> Repository:
    root = tmp_path / "repository"
    shutil.copytree(native.root, root, symlinks=True, ignore=shutil.ignore_patterns("mlruns"))
    (root / "mlruns").mkdir()
    return Repository(root)


def test_a_docker_run_from_nothing_gives_the_lock_of_a_native_one(repository: Repository) -> None:
    lock, pin = repository.lock(), (repository.site / "data.dvc").read_bytes()
    for name in ("artifacts", "metrics", "data"):
        shutil.rmtree(repository.site / name)
    repository.run("chmod", "-R", "u+w", ".dvc/cache", folder=repository.root)
    shutil.rmtree(repository.root / ".dvc/cache")
    # DVC writes a new lock in the order of the run, which is chance; of an old one it fills in what is not so.
    (repository.site / "dvc.lock").write_text(re.sub(r"md5: \w+", f"md5: {'f' * 32}", lock))
    repository.run("docker/run", "python", "-m", "stages.ingest", RUNNER="docker")
    assert (repository.site / "data.dvc").read_bytes() == pin
    repository.run("dvc", "commit", "--quiet", "--force", "data.dvc")
    ran = repository.repro("docker")
    assert {name.partition("@")[0] for name in ran} == STAGES
    assert repository.lock() == lock
    assert not list((repository.site / "artifacts/.tmp").iterdir())
    assert {path.stat().st_uid for path in repository.site.rglob("*")} == {os.getuid()}
    assert repository.repro("native") == set()


def test_a_changed_line_reruns_its_stage_and_what_follows(repository: Repository, engine: Engine) -> None:
    def images() -> set[str]:
        return set(engine.ask("images", "--format", "{{.Repository}}:{{.Tag}}", "glacier-area/*").stdout.split())

    before = images()
    with (repository.root / "README.md").open("a") as file:
        file.write("<!-- a comment -->\n")
    assert repository.repro("docker") == repository.repro("native") == set()
    template = repository.root / "stages/report/page/templates/index.html"
    page = template.read_text()
    assert "</footer>" in page
    template.write_text(page.replace("</footer>", "<!-- changed --></footer>"))
    try:
        assert repository.repro("docker") == {"report", "track", "gate"}
        assert {name.partition(":")[0] for name in images() - before} == {"glacier-area/report"}
    finally:
        for name in images() - before:
            engine.ask("rmi", name)
    assert repository.repro("native") == set()


def test_a_comment_in_a_stage_reruns_it_alone(repository: Repository) -> None:
    with (repository.root / "stages/evaluate/scores.py").open("a") as file:
        file.write("# a comment: the same bytes come out, so nothing follows\n")
    assert repository.repro("native") == {"evaluate"}


def test_an_experiment_elsewhere_runs_in_containers_too(repository: Repository) -> None:
    lock = repository.lock()
    output = repository.run(
        "dvc", "exp", "run", "--temp", "--set-param", "gates.annual_change_pct_max=21", "dvc.yaml", RUNNER="docker"
    )
    assert "Ran experiment" in output, output
    assert repository.lock() == lock  # the workspace is as it was
    assert (repository.root / "mlruns/mlflow.db").is_file()  # tracking is the repository's


@pytest.mark.enable_socket
def test_track_reaches_a_server(repository: Repository, tmp_path: Path) -> None:
    (repository.site / "artifacts/track").rename(tmp_path / "tracked")
    (tmp_path / "server").mkdir()
    with serve(tmp_path / "server") as uri:
        repository.run(
            "dvc", "repro", "--single-item", "--force", "dvc.yaml:track", RUNNER="docker", MLFLOW_TRACKING_URI=uri
        )
    stored = list((tmp_path / "server/artifacts").rglob("glacier_retreat_graph.png"))
    assert len(stored) == 1
    assert not (repository.root / "mlruns/mlflow.db").exists()
    assert settings.TRACKING_URI not in (repository.site / "artifacts/track/state.json").read_text()
