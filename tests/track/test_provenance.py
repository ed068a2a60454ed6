import subprocess

import pytest

from stages.track import provenance


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    for name in ("code.py", "dvc.lock", "metrics/area.json", "sites/a/dvc.lock", "sites/a/metrics/area.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first")
    return tmp_path


def git(folder, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_clean_tree_is_its_commit(repository):
    assert provenance.git_commit(repository) == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("name", "dirty"),
    [
        ("code.py", True),
        ("dvc.lock", False),
        ("metrics/area.json", False),
        ("sites/a/dvc.lock", False),
        ("sites/a/metrics/area.json", False),
        ("untracked", False),
    ],
)
def test_dirty_is_what_the_pipeline_did_not_write(repository, name, dirty):
    (repository / name).write_text("2")
    assert provenance.git_commit(repository).endswith("-dirty") == dirty


def test_without_git_the_commit_is_given_or_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    assert provenance.git_commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.git_commit(tmp_path) == "unknown"
    monkeypatch.setenv("GIT_COMMIT", "abc")
    assert provenance.git_commit(tmp_path) == "abc"


def test_tags_say_what_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_COMMIT", "abc")
    monkeypatch.setenv("RUNNER", "docker")
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    assert provenance.tags(tmp_path / "data.dvc") == {"git_commit": "abc", "runner": "docker"}
    (tmp_path / "data.dvc").write_bytes(b"")
    monkeypatch.setenv("DVC_EXP_NAME", "wide-unet")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "def")
    assert provenance.tags(tmp_path / "data.dvc") == {
        "git_commit": "abc",
        "runner": "docker",
        "experiment_name": "wide-unet",
        "experiment_parent": "def",
        "data_dvc_md5": "d41d8cd98f00b204e9800998ecf8427e",
    }
