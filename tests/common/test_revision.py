"""Git as the code asks it: repositories of another owner, shallow clones, and variables where git cannot be asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stages.common.errors import InputError
from stages.common.revision import git_commit, history_hint, run_git
from versions.compare.names import ModelNames, _unknown
from versions.retrain.summary import base_revision

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.org")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *AUTHOR, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    for message in ("first", "second"):
        git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return folder


def test_a_repository_of_another_owner_has_a_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "sites/small").mkdir(parents=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, check=False).returncode
    assert git_commit(repository) == commit
    assert run_git(repository / "sites/small", "rev-parse", "HEAD").stdout.strip() == commit


def test_a_variable_left_in_the_shell_does_not_replace_the_commit(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_COMMIT", "of another job")
    assert git_commit(repository) == git(repository, "rev-parse", "HEAD")


def test_a_shallow_clone_is_told_what_it_lacks(repository: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", str(clone))
    assert history_hint(repository) == ""
    assert "`git fetch --unshallow --tags`" in history_hint(clone)
    with pytest.raises(InputError, match="no such revision") as caught:
        base_revision(clone, "HEAD~1")
    assert "this clone is shallow" in caught.value.fix
    models = ModelNames("small")
    models.__dict__["numbers"] = {}
    assert "this clone is shallow" in _unknown("HEAD~1", "HEAD~1", clone, models).fix
