"""DVC and git as this interpreter has them, whatever stands on the path."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox import tiny
from stages.common.errors import InputError
from stages.common.revision import run_git
from tests.repository import commit, done
from versions import crossval, experiments
from versions.tools import commands
from versions.tools.commands import environment, last_words, require, run_dvc, stream_dvc

OWN_PROGRAMS = {"dvc", "python", "python3", "mlflow"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DVC repository with one commit."""
    folder = tmp_path_factory.mktemp("repository")
    done(folder, "git", "init", "--quiet")
    done(folder, "dvc", "init", "--quiet")
    (folder / "params.yaml").write_text("train:\n  seed: 3\n")
    (folder / "dvc.yaml").write_text("stages:\n  evaluate:\n    cmd: python --version > out\n    params: [train]\n")
    commit(folder, "site")
    return folder


@pytest.fixture
def repository(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository as working directory, with no program but the system's on the path."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(built)
    return built


def test_experiments_are_listed_without_dvc_on_the_path(repository: Path) -> None:
    rows = experiments.list_experiments(repository)
    assert next((row.name, row.params) for row in rows) == ("workspace", {"train.seed": "3"})


def test_the_cache_is_asked_for_without_dvc_on_the_path(repository: Path) -> None:
    crossval.cache_folder.cache_clear()
    assert crossval.cache_folder() == repository / ".dvc/cache/files/md5"


def test_a_stage_that_dvc_runs_gets_this_interpreter(repository: Path) -> None:
    repro = run_dvc(repository, "repro", "evaluate")
    assert repro.returncode == 0, repro.stderr
    version = subprocess.run(["python", "--version"], env=environment(), capture_output=True, text=True, check=True)
    assert (repository / "out").read_text() == version.stdout


@pytest.mark.parametrize(("runner", "shown"), [("native", False), ("docker", True)])
def test_the_runner_of_containers_is_named_where_it_runs(
    runner: str, shown: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DVC is stood in for by a module that prints what it prints."""
    (tmp_path / "dvc.py").write_text("print(\"Running stage 'area':\\n> docker/run python -m stages.area\\n59.6 km²\")")
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    monkeypatch.setenv("RUNNER", runner)
    assert stream_dvc(tmp_path, "exp", "run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["Running stage 'area':", *["> docker/run python -m stages.area"] * shown, "59.6 km²"]


@pytest.mark.parametrize("folder", ["versions", "bin", "docker"])
def test_no_command_begins_with_a_program_that_must_be_on_the_path(folder: str) -> None:
    paths = [path for path in sorted((tiny.ROOT / folder).rglob("*")) if path.is_file() and is_python(path)]
    assert paths
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.List) and node.elts and isinstance(node.elts[0], ast.Constant):
                assert node.elts[0].value not in OWN_PROGRAMS, f"{path}, line {node.lineno}"


def is_python(path: Path) -> bool:
    return path.suffix == ".py" or (not path.suffix and path.read_bytes().startswith(b"#!/usr/bin/env python3"))


def test_the_error_of_a_command_is_what_it_said_last(tmp_path: Path) -> None:
    parsed = run_git(tmp_path, "rev-parse", "HEAD")
    assert last_words(parsed).startswith("fatal: not a git repository")
    with pytest.raises(InputError, match="no commit") as caught:
        require(parsed, what="there is no commit", fix="commit")
    assert caught.value.where.endswith("rev-parse HEAD")


def test_a_repository_of_another_owner_is_made_safe(built: Path, tmp_path: Path) -> None:
    """DVC's own git reads the user's settings, and no others."""
    if os.getuid():
        pytest.skip("only root gives a repository to another user")
    repository = tmp_path / "repository"
    shutil.copytree(built, repository)
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 65534, 65534)
    with pytest.raises(InputError, match="DVC cannot list the experiments") as caught:
        list(experiments.list_experiments(repository))
    assert f"`git config --global --add safe.directory {repository}`" in caught.value.fix


def test_without_git_a_command_fails_and_raises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    status = run_git(tmp_path, "status")
    assert status.returncode == 127
    assert "git cannot be run" in status.stderr


def test_settings_of_the_user_for_all_of_dvc_do_not_reach_into_a_run(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question before each stage, files staged in git, links in place of files, a repository that is none for DVC."""
    switches = ("interactive", "autostage", "no_scm", "hardlink_lock")
    lines = ["[core]", *(f"{name} = true" for name in switches), "[cache]", "type = symlink"]
    (tmp_path / "config").write_text("\n".join(lines))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path))
    site = tmp_path / "site"
    shutil.copytree(built, site)
    (site / ".dvc/config").write_text((tiny.ROOT / ".dvc/config").read_text())
    (site / "params.yaml").write_text("train:\n  seed: 4\n")
    repro = run_dvc(site, "repro", "evaluate")
    assert repro.returncode == 0, repro.stderr
    assert (site / "out").is_file() and not (site / "out").is_symlink()
    assert run_git(site, "diff", "--cached", "--name-only").stdout == ""


def test_settings_that_cannot_be_read_are_set_aside(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A home that is a file stands for one that is another user's: root may read everything."""
    (tmp_path / "home").write_text("no folder")
    for name in ("XDG_CONFIG_HOME", "DVC_GLOBAL_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert run_dvc(built, "root").stdout.strip() == "."
    plan = run_dvc(built, "repro", "--dry", "--allow-missing")  # reads git's settings too
    assert plan.returncode == 0, plan.stderr
    said = capsys.readouterr().err
    assert said.count("your settings of git and DVC are left out") == 1
    assert f"{tmp_path}/home/.gitconfig: Not a directory; fix:" in said


@pytest.mark.parametrize("home", ["absent", ""])
def test_a_home_that_is_absent_does_not_matter(
    home: str, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / home) if home else "")
    assert run_dvc(built, "root").stdout.strip() == "."
    monkeypatch.delenv("HOME")
    assert run_dvc(built, "root").stdout.strip() == "."
    assert capsys.readouterr().err == ""
