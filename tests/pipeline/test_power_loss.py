"""The power fails in a whole stage or command, or right after it: each result is whole, and the next run ends."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sandbox import tiny
from tests import forked, repository
from tests.conftest import made_once
from tests.hostile import site as made
from tests.power import Disk, PowerLostError
from versions.registry import champion
from versions.tools import commands
from versions.tools.commands import run_dvc
from versions.tools.cut_short import working_on_site

STAGES = ("ingest", "prepare@2021", "labels", "patches@2020", "evaluate", "predict@2021", "area", "report")


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with the results of every stage up to `report`, which is the working directory."""
    folder = tmp_path / "site"
    shutil.copytree(made_once(tmp_path_factory, "hostile-tiny", made.make), folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def results(site: Path) -> dict[str, bytes]:
    """All that stages have written, by path."""
    paths = [path for name in ("data", "artifacts", "metrics") for path in (site / name).rglob("*") if path.is_file()]
    kept = [path for path in paths if ".tmp" not in path.parts]
    return {str(path.relative_to(site)): path.read_bytes() for path in [*kept, site / "data.dvc"]}


@pytest.mark.parametrize("command", STAGES)
def test_what_a_stage_has_written_survives(command: str, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = results(site)
    with monkeypatch.context() as patch:
        disk = Disk(site, patch)
        assert made.run(command) == 0
    assert disk.waits > 0
    disk.lose_power()
    assert results(site) == before


@pytest.fixture(scope="module")
def waits() -> dict[str, int]:
    """How often a whole run of a stage waits for the disk, of the stages that were counted already."""
    return {}


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("command", ["ingest", "prepare@2021", "area"])
def test_a_stage_that_loses_power_loses_nothing(
    command: str, share: float, site: Path, waits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its first wait for the disk, at that in the middle and at the last one."""
    before = results(site)
    if command not in waits:
        with monkeypatch.context() as patch:
            waits[command] = waits_of(command, site, patch)
    with monkeypatch.context() as patch:
        disk = Disk(site, patch)
        disk.fail_after(int(share * waits[command]))
        with pytest.raises(PowerLostError):
            made.run(command)
    disk.lose_power()
    assert made.run(command) == 0
    assert results(site) == before
    assert not list(site.rglob(".*.old"))


def waits_of(command: str, site: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a whole run of a stage waits for the disk."""
    disk = Disk(site, monkeypatch)
    assert made.run(command) == 0
    return disk.waits


@pytest.fixture
def pinned(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The site with git and DVC."""
    monkeypatch.setattr(commands, "subprocess", forked)
    shutil.copy(tiny.ROOT / "dvc.yaml", site)
    repository.start_dvc(site)
    return site


def broken_objects(site: Path) -> list[str]:
    """Files of DVC's cache whose content is not what their name says."""
    objects = [path for path in (site / ".dvc/cache/files/md5").rglob("*") if path.is_file()]
    assert objects
    return [
        path.name
        for path in objects
        if hashlib.md5(path.read_bytes()).hexdigest() != path.parent.name + path.name.removesuffix(".dir")
    ]


def test_data_that_ingest_has_recorded_survives(pinned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        disk = Disk(pinned, patch)
        assert made.run("ingest") == 0
        assert run_dvc(pinned, "commit", "--quiet", "--force", "data.dvc").returncode == 0
    whole = results(pinned)
    disk.lose_power()
    assert results(pinned) == whole
    assert b"md5:" in whole["data.dvc"]
    assert broken_objects(pinned) == []


def test_data_survives_a_loss_while_dvc_records_it(pinned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that DVC has written is lost: data.dvc, and the objects of a cache that believes in what it has."""
    record = ("commit", "--quiet", "--force", "data.dvc")
    with monkeypatch.context() as patch:
        disk = Disk(pinned, patch)
        patch.setattr(commands, "run_quietly", then_fail(disk))
        with pytest.raises(PowerLostError):
            run_dvc(pinned, *record)
    assert {"data.dvc"} < {*disk.lose_power()}
    whole = results(pinned)
    with working_on_site("ingest"):
        assert run_dvc(pinned, *record).returncode == 0
    assert broken_objects(pinned) == []
    shutil.rmtree(pinned / "data")
    assert run_dvc(pinned, "checkout", "data.dvc").returncode == 0
    assert {**results(pinned), "data.dvc": b""} == {**whole, "data.dvc": b""}


def then_fail(disk: Disk) -> Callable[[Sequence[str], Path], commands.Done]:
    """Run DVC to its end, and let the power fail before anything waits for the disk."""
    run = commands.run_quietly

    def run_and_fail(command: Sequence[str], folder: Path) -> commands.Done:
        done = run(command, folder)
        assert done.returncode == 0, done.stderr
        disk.fail_after(disk.waits)
        return done

    return run_and_fail


@pytest.mark.parametrize("moment", ["dvc add", "git tag"])
def test_a_champion_is_published_after_a_loss_of_power(
    moment: str, pinned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When DVC has written and nothing has waited, or between commit and tag: the same command does what is missing."""
    for name, value in repository.IDENTITY.items():
        monkeypatch.setenv(name, value)
    repository.commit(pinned, "first")
    model = pinned / "artifacts/train/model.onnx"
    with monkeypatch.context() as patch:
        disk = Disk(pinned, patch)
        if moment == "dvc add":
            patch.setattr(commands, "run_quietly", then_fail(disk))
        else:
            patch.setattr(champion, "tag_name", lose_power)
        with pytest.raises(PowerLostError):
            champion.publish(pinned, "1", model, "The first champion")
    disk.lose_power()
    champion.publish(pinned, "1", model, "The first champion")
    champion.check_settled(pinned, "1", hashlib.md5(model.read_bytes()).hexdigest())
    assert (pinned / "models/champion/model.onnx").read_bytes() == model.read_bytes()
    assert broken_objects(pinned) == []


def lose_power(*_: object) -> str:
    raise PowerLostError


def test_a_champion_survives(pinned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in repository.IDENTITY.items():
        monkeypatch.setenv(name, value)
    repository.commit(pinned, "first")
    with monkeypatch.context() as patch:
        patch.setenv("GIT_TRACE2_EVENT", str(tmp_path / "git.log"))
        disk = Disk(pinned, patch)
        champion.publish(pinned, "1", pinned / "artifacts/train/model.onnx", "The first champion")
    disk.lose_power()
    assert waits_of_git(tmp_path / "git.log") >= {"add", "commit", "tag"}
    model = (pinned / "models/champion/model.onnx").read_bytes()
    assert model == (pinned / "artifacts/train/model.onnx").read_bytes()
    assert hashlib.md5(model).hexdigest() in (pinned / champion.POINTER).read_text()
    assert broken_objects(pinned) == []


def waits_of_git(log: Path) -> set[str]:
    """Return the commands of git that waited for the disk: it does not wait for new objects unless it is asked to."""
    events = [json.loads(line) for line in log.read_text().splitlines()]
    names = {event["sid"]: event["name"] for event in events if event["event"] == "cmd_name"}
    return {
        names[event["sid"]]
        for event in events
        if event["event"] == "data" and event["key"] == "fsync/hardware-flush" and event["value"] != "0"
    }
