"""A kill while DVC writes dvc.lock or data.dvc holds nobody up, and nothing of another kind is changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stages.common import settings
from stages.common.errors import InputError
from stages.common.run.replace import SCRATCH
from tests.repository import done
from versions.tools.commands import run_dvc
from versions.tools.cut_short import copies_kept, mend, put_back, working_on_site
from versions.tools.spoilt_cache import cache_folder

WHOLE = "schema: '2.0'\nstages:\n  labels:\n    cmd: docker/run python -m stages.labels\n"
NEWER = WHOLE + "  train:\n    cmd: docker/run python -m stages.train\n"
CONFLICT = "<<<<<<< HEAD\nstages: {}\n=======\nstages: {a: 1}\n>>>>>>> main\n"


class KilledError(BaseException):
    """Stands for a kill: nothing that comes after it in the code runs."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(settings.SITE_HELD, raising=False)
    (tmp_path / "params.yaml").touch()
    (tmp_path / "dvc.lock").write_text(WHOLE)
    return tmp_path


def killed_with(site: Path, content: str) -> None:
    """Be killed when DVC has written so much of dvc.lock."""
    with pytest.raises(KilledError), copies_kept(site):
        (site / "dvc.lock").write_text(content)
        raise KilledError


@pytest.mark.parametrize("content", ["", NEWER[:20], NEWER[:40], NEWER[:-1]])
def test_a_file_that_was_cut_short_gets_its_earlier_content_back(
    site: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_with(site, content)
    with working_on_site("repro"):
        assert (site / "dvc.lock").read_text() == WHOLE
    assert "dvc.lock was cut short" in capsys.readouterr().err
    assert list((site / SCRATCH).iterdir()) == []


def test_what_was_written_to_its_end_stays(site: Path) -> None:
    killed_with(site, NEWER)
    mend(site)
    assert (site / "dvc.lock").read_text() == NEWER


def test_what_git_could_not_merge_is_left_to_the_user(site: Path) -> None:
    killed_with(site, CONFLICT)
    mend(site)
    assert (site / "dvc.lock").read_text() == CONFLICT


@pytest.mark.parametrize("name", ["dvc.lock", "data.dvc", "models/champion/model.onnx.dvc"])
def test_an_empty_file_without_a_copy_is_named_with_the_fix(site: Path, name: str) -> None:
    """Else an empty data.dvc would pin nothing, and whatever lies in data/ would be recorded."""
    (site / name).parent.mkdir(parents=True, exist_ok=True)
    (site / name).write_text("")
    with pytest.raises(InputError, match=f"{Path(name).name} is empty") as caught, working_on_site("repro"):
        pass
    assert caught.value.fix.startswith(f"`git checkout {name}`")
    with pytest.raises(InputError, match="is empty"), copies_kept(site):
        pass


def test_what_dvc_has_written_is_on_the_disk_before_the_copy_goes(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states, sync = [], os.fsync

    def watched(number: int) -> None:
        if os.fstat(number).st_ino == (site / "dvc.lock").stat().st_ino:
            states.append(((site / "dvc.lock").read_text(), (site / SCRATCH / "whole-dvc.lock").exists()))
        sync(number)

    monkeypatch.setattr(os, "fsync", watched)
    with copies_kept(site):
        (site / "dvc.lock").write_text(NEWER)
    assert states == [(NEWER, True)]


def test_an_earlier_text_is_put_back_whole_or_not_at_all(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "dvc.lock").write_text(NEWER)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", killed)
        with pytest.raises(KilledError):
            put_back(site / "dvc.lock", WHOLE)
    assert (site / "dvc.lock").read_text() == NEWER
    put_back(site / "dvc.lock", WHOLE)
    assert (site / "dvc.lock").read_text() == WHOLE


def killed(_number: int) -> None:
    raise KilledError


@pytest.mark.parametrize("name", ["data", "artifacts/predict", "models"])
def test_a_link_to_another_disk_is_refused(name: str, site: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """DVC would record nothing of it; a link within the repository does no harm."""
    (site / ".dvc").mkdir()
    (site / name).parent.mkdir(exist_ok=True)
    disk = tmp_path_factory.mktemp("disk")
    (site / name).symlink_to(disk)
    with pytest.raises(InputError, match="a link stands in the place of a folder") as caught, working_on_site("repro"):
        pass
    assert (caught.value.where, caught.value.found) == (str(site / name), f"a link to {disk}")
    (site / name).unlink()
    (site / "shared").mkdir()
    (site / name).symlink_to(site / "shared")
    with working_on_site("repro"):
        pass


def test_what_was_absent_before_is_removed(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Git has none to get back, as before the first run."""
    (site / "dvc.lock").unlink()
    killed_with(site, "")
    mend(site)
    assert not (site / "dvc.lock").exists()
    assert "dvc.lock was cut short" in capsys.readouterr().err


def test_a_note_of_dvc_that_was_cut_short_holds_nobody_up(site: Path) -> None:
    done(site, "git", "init", "--quiet")
    done(site, "dvc", "init", "--quiet")
    note = site / ".dvc/tmp/rwlock"
    note.write_text("")
    with working_on_site("repro"):
        assert not note.exists()
    note.write_text('{"read": {}}')
    mend(site)
    assert note.exists()


@pytest.mark.parametrize("file", [".dvc/config.local", ".dvc/config", "settings/config"])
def test_a_cache_on_another_disk_is_looked_at(file: str, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(site / "settings"))
    done(site, "git", "init", "--quiet")
    done(site, "dvc", "init", "--quiet")
    assert cache_folder(site) == site / ".dvc/cache/files"
    (site / "settings").mkdir()
    (site / file).write_text(f"[core]\n    analytics = false\n[cache]\n    dir = {site}/big disk/cache\n")
    assert cache_folder(site) == site / "big disk/cache/files"
    assert run_dvc(site, "cache", "dir").stdout.strip() == str(site / "big disk/cache")


def test_a_command_that_ends_leaves_no_copy(site: Path) -> None:
    with copies_kept(site):
        (site / "dvc.lock").write_text(NEWER)
    assert list((site / SCRATCH).iterdir()) == []
    mend(site)
    assert (site / "dvc.lock").read_text() == NEWER
