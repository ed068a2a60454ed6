"""An earlier result that this user may not change: refused before any work, and the site stays as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.common.run.exit_code import exit_code_of
from stages.common.run.outputs import atomic_folder
from stages.common.run.replace import put_in_place
from tests import forked

UID = 12345
"""Nobody; only root can become him. Another user is closed out of his own folder by its mode as well."""

FILE = Path("data/scenes/2020/B02.tif")


@pytest.fixture
def site() -> Iterator[Path]:
    """A site that another user may write to; pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="glacier-owner-") as name:
        Path(name).chmod(0o755)
        site = Path(name, "site")
        (site / FILE).parent.mkdir(parents=True)
        (site / FILE).write_text("old")
        if os.getuid() == 0:
            os.chown(site, UID, UID)
        yield site
        for folder, _, _ in os.walk(site):
            Path(folder).chmod(0o755)


def become_another(site: str) -> None:
    """Leave root's rights behind, and work in the site; its messages go to a file."""
    os.chdir(site)
    message = os.open("message", os.O_CREAT | os.O_WRONLY, 0o666)
    os.dup2(message, 2)
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(UID)
        os.setuid(UID)


def write_data() -> None:
    with atomic_folder(Path("data")) as out:
        Path("begun").touch()
        (out / "new.txt").write_text("new")


def replace_data() -> None:
    Path("draft").mkdir()
    put_in_place(Path("draft"), Path("data"))


def in_another_process(site: str, name: str) -> None:
    become_another(site)
    raise SystemExit(exit_code_of("ingest", {"write": write_data, "replace": replace_data}[name]))


@pytest.mark.parametrize("name", ["write", "replace"])
@pytest.mark.parametrize("closed", ["data", "data/scenes", "data/scenes/2020"])
def test_a_folder_of_another_user_is_refused_and_the_site_stays(site: Path, closed: str, name: str) -> None:
    (site / closed).chmod(0o555)
    process = forked.server.Process(target=in_another_process, args=(str(site), name))
    process.start()
    process.join()
    words = (site / "message").read_text()
    assert process.exitcode == 2, words
    for piece in ("cannot be replaced", str(site / "data"), "mode ", "chown -R"):
        assert piece in words
    assert not (site / "begun").exists(), "it is seen before the work"
    assert sorted(path.name for path in site.iterdir() if path.name.startswith((".", "data"))) == ["data"]
    assert (site / FILE).read_text() == "old"
