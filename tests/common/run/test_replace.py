"""One whole version exists at every instant, on one disk and on two, whenever the run is killed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stages.common.run.disk import storage_error
from stages.common.run.outputs import atomic_folder
from stages.common.run.replace import flush_written, put_in_place, recover, require_removable

NAMES = ("a.tif", "b.tif", "c.tif")


class KilledError(BaseException):
    """Stands for a kill: no handler of the code may run after it."""


def write_version(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_text(version)
    return folder


def version_of(folder: Path) -> str:
    """The version that is whole in the folder: every file is there, and all are of it."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    (version,) = {path.read_text() for path in folder.iterdir()}
    return version


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the run die before its n-th operation on the file system; removals and copies work file by file."""
    left = [step]

    def counted(operation: Any) -> Any:
        def run(*arguments: Any, **keywords: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise KilledError
            return operation(*arguments, **keywords)

        return run

    for name in ("rename", "unlink", "rmdir", "mkdir", "fsync"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    monkeypatch.setattr(shutil, "copy2", counted(shutil.copy2))


def two_disks(monkeypatch: pytest.MonkeyPatch, disk: Path) -> None:
    """Refuse every rename into or out of a folder, as the kernel does between file systems."""
    rename = os.rename

    def refuse(source: Any, target: Any, **keywords: Any) -> None:
        if Path(source).is_relative_to(disk) != Path(target).is_relative_to(disk):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(source, target, **keywords)

    monkeypatch.setattr(os, "rename", refuse)


@pytest.fixture(params=["one disk", "two disks"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    final = tmp_path / "disk/predict/2020"
    if request.param == "two disks":
        two_disks(monkeypatch, tmp_path / "disk")
    return final


def test_the_new_version_replaces_the_old_one(place: Path, tmp_path: Path) -> None:
    write_version(place, "old")
    with atomic_folder(place, scratch=tmp_path / "scratch") as draft:
        for name in NAMES:
            (draft / name).write_text("new")
    assert version_of(place) == "new"
    assert [path.name for path in place.parent.iterdir()] == ["2020"], "nothing is left beside it"
    assert not draft.exists()


def test_a_first_version_needs_no_old_one(place: Path, tmp_path: Path) -> None:
    put_in_place(write_version(tmp_path / "draft", "new"), place)
    assert version_of(place) == "new"


def test_a_file_is_replaced_too(place: Path, tmp_path: Path) -> None:
    place.parent.mkdir(parents=True)
    place.write_text("old")
    (tmp_path / "draft").write_text("new")
    put_in_place(tmp_path / "draft", place)
    assert place.read_text() == "new"
    assert [path.name for path in place.parent.iterdir()] == ["2020"]


def replaced_unless_killed(place: Path, scratch: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Replace `place` by a new version, killed at an instant; return whether that came after the end."""
    with monkeypatch.context() as patch:
        try:
            with atomic_folder(place, scratch=scratch) as draft:
                for name in NAMES:
                    (draft / name).write_text("new")
                kill_at(step, patch)
        except KilledError:
            return False
    return True


@pytest.mark.parametrize("step", range(30))
def test_a_kill_at_any_instant_leaves_one_whole_version(
    step: int, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_version(place, "old")
    finished = replaced_unless_killed(place, tmp_path / "scratch", step, monkeypatch)
    recover(place)
    assert version_of(place) in (("new",) if finished else ("old", "new"))
    assert [path.name for path in place.parent.iterdir()] == ["2020"]


def lose_power(folder: Path, synced: set[int]) -> None:
    """Empty each file whose content was not waited for: a file system may keep the rename and not the content."""
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_ino not in synced:
            path.write_text("")


@pytest.mark.parametrize("step", range(40))
def test_a_loss_of_power_at_any_instant_leaves_one_whole_version(
    step: int, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = {path.stat().st_ino for path in write_version(place, "old").iterdir()}
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (synced.add(os.fstat(number).st_ino), sync(number)))
    finished = replaced_unless_killed(place, tmp_path / "scratch", step, monkeypatch)
    lose_power(tmp_path, synced)
    recover(place)
    assert version_of(place) in (("new",) if finished else ("old", "new"))


def test_what_a_library_has_written_since_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").mkdir()
    for name in ("old.tif", "new/a.tif"):
        (tmp_path / name).write_text(name)
    os.mkfifo(tmp_path / "new/pipe")
    (tmp_path / "new/link").symlink_to("nowhere")
    synced: set[int] = set()
    monkeypatch.setattr(os, "fsync", lambda number: synced.add(os.fstat(number).st_ino))
    flush_written(tmp_path, time.time() + 60)
    assert synced == set()
    flush_written(tmp_path / "new", time.time())
    assert synced == {(tmp_path / name).stat().st_ino for name in ("new", "new/a.tif")}


def test_a_new_name_is_on_the_disk_before_the_old_version_goes(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_version(place, "old")
    states, sync = [], os.fsync

    def watched(number: int) -> None:
        if os.fstat(number).st_ino == place.parent.stat().st_ino:
            states.append([place.exists(), place.with_name(".2020.old").exists()])
        sync(number)

    monkeypatch.setattr(os, "fsync", watched)
    put_in_place(write_version(tmp_path / "draft", "new"), place)
    assert states == [[True, True]]


@pytest.mark.parametrize("step", range(30))
def test_a_half_removed_version_never_comes_back(
    step: int, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC removes an output before it runs the stage again."""
    write_version(place, "old")
    draft = write_version(tmp_path / "draft", "new")
    with monkeypatch.context() as patch:
        kill_at(step, patch)
        with contextlib.suppress(KilledError):
            put_in_place(draft, place)
    shutil.rmtree(place, ignore_errors=True)
    recover(place)
    assert not place.exists() or version_of(place) == "old"


def test_the_next_run_of_the_stage_recovers(place: Path, tmp_path: Path) -> None:
    write_version(place.with_name(".2020.old"), "old")
    with pytest.raises(RuntimeError), atomic_folder(place, scratch=tmp_path / "scratch"):
        raise RuntimeError
    assert version_of(place) == "old"


def test_a_full_disk_leaves_the_old_version(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_version(place, "old")
    rename = os.rename

    def fail_at_last(source: Any, target: Any, **keywords: Any) -> None:
        if Path(target) == place and Path(source).name == ".2020.tmp":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(source, target, **keywords)

    monkeypatch.setattr(os, "rename", fail_at_last)
    with pytest.raises(OSError, match="No space"):
        put_in_place(write_version(tmp_path / "draft", "new"), place)
    assert version_of(place) == "old"
    assert [path.name for path in place.parent.iterdir()] == ["2020"]


def test_a_link_to_another_place_is_followed(tmp_path: Path) -> None:
    elsewhere = write_version(tmp_path / "elsewhere/area", "old")
    link = tmp_path / "area"
    link.symlink_to(elsewhere)
    put_in_place(write_version(tmp_path / "draft", "new"), link)
    assert link.is_symlink()
    assert version_of(elsewhere) == "new"


def test_a_result_on_a_disk_that_is_read_only_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner is right, and `chown` would not help. A mount needs root: what the system says of one stands for it."""
    (tmp_path / "area").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(OSError, match="Read-only file system") as caught:
        require_removable(tmp_path / "area")
    message = storage_error(caught.value)
    assert message is not None and message.where == str(tmp_path / "area")
    assert "mount it for writing" in message.fix
