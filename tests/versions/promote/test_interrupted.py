"""Promotions and rollbacks that were killed, or lost their remote, on the way: nothing is lost, and all is mended."""

from __future__ import annotations

import shutil
import signal
import sys

import pytest

from stages.common.errors import InputError
from tests import forked
from tests.versions.conftest import Site
from tests.versions.models import BETTER, DIM, GOOD
from tests.versions.promote.conftest import names_the_same_bytes
from versions.promote.promote import promote, rollback

KILLED = """
import os, signal, sys
from pathlib import Path
from versions.promote import promote
from versions.registry import champion
champion.{step} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
promote.{change}(Path.cwd(){arguments})
"""


def kill(site: Site, step: str, change: str, arguments: str = "") -> None:
    code = forked.FORKING + KILLED.format(step=step, change=change, arguments=arguments)
    result = site.command(sys.executable, "-c", code)
    assert result.returncode == -signal.SIGKILL, result.stderr


@pytest.mark.parametrize("step", ["_write", "_commit"])
def test_a_promotion_killed_after_the_registry_changed_is_mended(site: Site, two: tuple[str, str], step: str) -> None:
    kill(site, step, "promote", ", None")
    assert site.registry.champion == two[1]
    promote(site.folder, None)
    names_the_same_bytes(site, two[1])
    assert site.registry.champions() == list(two)


def test_a_killed_promotion_is_not_passed_over_by_the_next(site: Site, two: tuple[str, str]) -> None:
    kill(site, "_write", "promote", ", None")
    site.register(DIM)
    for command in (lambda: promote(site.folder, None), lambda: rollback(site.folder)):
        with pytest.raises(InputError, match="the files of this checkout do not name it") as caught:
            command()
        assert f"`make promote VERSION={two[1]}` finishes it" in caught.value.fix
    promote(site.folder, two[1])
    names_the_same_bytes(site, two[1])
    rollback(site.folder)
    names_the_same_bytes(site, two[0])


@pytest.mark.parametrize("step", ["_write", "_commit"])
def test_a_killed_rollback_steps_back_once(site: Site, two: tuple[str, str], step: str) -> None:
    promote(site.folder, None)
    kill(site, step, "rollback")
    assert site.registry.champion == two[0]
    with pytest.raises(InputError, match="the files of this checkout do not name it"):
        rollback(site.folder)
    promote(site.folder, two[0])
    names_the_same_bytes(site, two[0])
    assert site.registry.champions() == [two[0]]


def test_a_rollback_without_its_remote_steps_back_once(site: Site, two: tuple[str, str]) -> None:
    promote(site.folder, None)
    shutil.move(site.folder / "../remote", site.folder / "../aside")
    (site.folder / "../remote").write_text("in the way")
    result = site.tool("rollback")
    assert result.returncode == 2
    assert f"`make promote VERSION={two[0]}` does what is missing" in result.stderr
    (site.folder / "../remote").unlink()
    shutil.move(site.folder / "../aside", site.folder / "../remote")
    assert site.tool("rollback").returncode == 2
    promote(site.folder, two[0])
    names_the_same_bytes(site, two[0])


def test_history_survives_an_interruption_between_its_two_writes(site: Site) -> None:
    numbers = [site.register(kind) for kind in (GOOD, BETTER)]
    registry = site.registry
    registry.crown(numbers[0], instead_of=None)
    registry.client.set_registered_model_tag(registry.model_name, "champions", " ".join(numbers))  # and then killed
    assert (registry.champion, registry.champions()) == (numbers[0], numbers[:1])
    registry.crown(numbers[1], instead_of=numbers[0])
    registry.client.set_registered_model_alias(registry.model_name, "champion", numbers[0])  # a killed rollback
    assert registry.champions() == numbers[:1]


def test_who_judged_against_an_old_champion_is_refused(site: Site) -> None:
    first, second = site.register(GOOD), site.register(BETTER)
    site.registry.crown(first, instead_of=None)
    with pytest.raises(InputError, match="has changed while this one was judged") as caught:
        site.registry.crown(second, instead_of=None)
    assert caught.value.found == f"version {first}"
    assert "run it again" in caught.value.fix
    assert site.registry.champion == first


def test_a_lock_that_a_killed_process_left_is_broken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    number = site.register(GOOD)
    monkeypatch.setattr("versions.registry.lock.PATIENCE_S", 0.5)
    site.registry.client.create_registered_model("glacier-tiny.changing-champion.1")
    site.registry.crown(number, instead_of=None)
    assert site.registry.champion == number
    assert not site.registry.client.search_registered_models("name LIKE '%changing%'")


def test_a_remote_that_is_not_there_loses_nothing(site: Site) -> None:
    number = site.register(GOOD)
    (site.folder / "../remote").write_text("in the way")
    result = site.tool("promote")
    assert result.returncode == 2
    assert "nothing is lost" in result.stderr
    assert site.registry.champion == number
    (site.folder / "../remote").unlink()
    promote(site.folder, None)
    names_the_same_bytes(site, number)
