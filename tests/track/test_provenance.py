import subprocess

import pytest

from stages.common.errors import InputError
from stages.common.revision import git_remote
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
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_COMMIT", "abc")
    monkeypatch.setenv("RUNNER", "docker")
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_REMOTE", "https://forge.example/ice/area.git")
    revision = {
        "git_commit": "abc",
        "git_commit_url": "https://forge.example/ice/area/commit/abc",
        "mlflow.source.git.commit": "abc",
        "mlflow.source.git.repoURL": "https://forge.example/ice/area",
    }
    assert provenance.tags(tmp_path / "data.dvc") == {**revision, "runner": "docker"}
    (tmp_path / "data.dvc").write_bytes(b"")
    monkeypatch.setenv("DVC_EXP_NAME", "wide-unet")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "def")
    assert provenance.tags(tmp_path / "data.dvc") == {
        **revision,
        "runner": "docker",
        "experiment_name": "wide-unet",
        "experiment_parent": "def",
        "data_dvc_md5": "d41d8cd98f00b204e9800998ecf8427e",
    }


def test_what_test_blocks_hang_on_is_named_by_the_hashes_of_its_data(tmp_path):
    pinned = tmp_path / "data.dvc"
    assert provenance.split_data(pinned) is None
    outs = "outs:\n- path: data/aoi.gpkg\n  md5: a\n- path: data/outlines.gpkg\n{}- path: data/scenes/2020\n  md5: s\n"
    pinned.write_text(outs.format(""))
    assert provenance.split_data(pinned) is None
    pinned.write_text(outs.format("  md5: o\n"))
    assert provenance.split_data(pinned) == "o a"
    assert provenance.tags(pinned)["split_data_md5"] == "o a"


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://forge.example/ice/area.git", "https://forge.example/ice/area"),
        ("https://me:secret@forge.example:8443/ice/area?token=secret", "https://forge.example:8443/ice/area"),
        ("http://forge.example/ice/area/", "http://forge.example/ice/area"),
        ("git@forge.example:ice/area.git", ""),
        ("../elsewhere", ""),
    ],
)
def test_a_remote_is_a_web_address_without_credentials_or_nothing(repository, monkeypatch, remote, shown):
    monkeypatch.delenv("GIT_REMOTE", raising=False)
    git(repository, "remote", "add", "origin", remote)
    assert git_remote(repository) == shown


def test_the_note_links_to_the_commit_and_says_where_it_was_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_COMMIT", "0123456789abcdef-dirty")
    monkeypatch.setenv("GIT_REMOTE", "https://forge.example/ice/area")
    link = "[commit 01234567 with changes](https://forge.example/ice/area/commit/0123456789abcdef)"
    assert provenance.revision_link() == link
    monkeypatch.setenv("GIT_COMMIT", "unknown")
    assert provenance.revision_link() == ""


def test_a_pin_that_a_merge_has_spoilt_is_one_message(tmp_path):
    (tmp_path / "data.dvc").write_text("<<<<<<< HEAD\nouts: []\n=======\n>>>>>>> main\n")
    with pytest.raises(InputError, match=r"data\.dvc is not valid YAML"):
        provenance.split_data(tmp_path / "data.dvc")
