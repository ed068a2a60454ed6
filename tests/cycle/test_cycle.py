"""A whole cycle between two people, in the order of the tests: real git, S3, PostgreSQL, MLflow, and `make`."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import replace

import pytest

from stages.common.run.records import file_md5
from tests.cycle.conftest import YEARS, Clone, Shared
from versions.registry.champion import POINTER, pointed_md5, tagged_md5

pytestmark = [pytest.mark.cycle, pytest.mark.enable_socket]

CHAMPION = "models/champion/model.onnx"


@pytest.fixture
def anna(shared: Shared) -> Clone:
    return shared.clone("anna")


@pytest.fixture
def ben(shared: Shared) -> Clone:
    return shared.clone("ben")


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '(.+?)'", output))


ASK = """
import sys
from versions.registry.open import open_registry
with open_registry("small-twin") as registry:  # what is printed in here goes to the debug log
    answer = registry.champions() if sys.argv[1] == "all" else registry.aliases.get(sys.argv[1])
print(answer)
"""


def ask(clone: Clone, what: str) -> str:
    """champion, challenger or all champions, from the registry."""
    return clone.done(sys.executable, "-W", "ignore", "-c", ASK, what).strip().splitlines()[-1]


def test_the_first_retraining_makes_the_data_and_shares_the_results(anna: Clone) -> None:
    anna.make("remote URL=s3://glaciers/small-twin")
    output = anna.make("retrain")
    assert {"prepare@2016", "train", "predict@2017", "area", "report", "track", "gate"} <= stages_run(output)
    assert "pushing to s3://glaciers/small-twin" in output
    assert "# Retrained: Small twin" in (anna.folder / "retrain-summary.md").read_text()
    assert "in sync" in anna.done("dvc", "status", "--cloud", "dvc.yaml", "data.dvc")
    anna.commit("First results")
    assert ask(anna, "challenger") == "1"


def test_promotion_names_the_same_bytes_everywhere(anna: Clone) -> None:
    output = anna.make("promote")
    assert "version 1 of glacier-small-twin is champion" in output
    md5 = file_md5(anna.folder / "artifacts/train/model.onnx")
    assert file_md5(anna.folder / CHAMPION) == md5
    assert pointed_md5((anna.folder / POINTER).read_text()) == md5
    assert tagged_md5(anna.folder, "champion@v1.0.0") == md5
    assert ask(anna, "champion") == "1"
    anna.done("git", "push", "--quiet", "--follow-tags", "origin", "HEAD:main")


def test_the_lock_of_a_fresh_clone_is_checked_without_data(ben: Clone) -> None:
    begun = time.monotonic()
    assert ben.make("check-lock").strip() == "dvc.lock is current."
    assert time.monotonic() - begun < 30
    assert not (ben.folder / "data").exists()
    ben.change(area={"boundary_buffer_px": 0.5})
    assert "dvc.lock is not current" in ben.run(*ben.make_command("check-lock")).stdout
    ben.done("git", "checkout", "--quiet", "params.yaml")


def test_a_second_clone_predicts_the_same_bytes_with_the_champion(anna: Clone, ben: Clone) -> None:
    ben.make("remote URL=s3://glaciers/small-twin")
    ben.done("dvc", "pull", "--quiet", "prepare@2016", str(POINTER))
    ben.change(predict={"model": CHAMPION})
    ben.done(sys.executable, "-W", "ignore", "-m", "stages.predict", "--year", "2016")
    for name in ("probability.tif", "mask.tif"):
        path = f"artifacts/predict/2016/{name}"
        assert (ben.folder / path).read_bytes() == (anna.folder / path).read_bytes()
    ben.done("git", "checkout", "--quiet", "params.yaml")


def test_a_better_or_equal_model_replaces_the_champion_and_rollback_restores(anna: Clone) -> None:
    first = file_md5(anna.folder / CHAMPION)
    anna.change(train={"learning_rate": 3e-3})
    assert {"train", "evaluate", "predict@2016", "area", "track"} <= stages_run(anna.make("retrain"))
    assert "| train.learning_rate | 0.004 | 0.003 |" in (anna.folder / "retrain-summary.md").read_text()
    anna.commit("A slower learning rate")
    assert "in place of version 1" in anna.make("promote")
    assert file_md5(anna.folder / CHAMPION) == file_md5(anna.folder / "artifacts/train/model.onnx") != first
    assert "version 1 of glacier-small-twin is champion again" in anna.make("rollback")
    assert file_md5(anna.folder / CHAMPION) == first
    assert ask(anna, "all") == "['1']"


def test_a_worse_challenger_is_refused_with_its_reason(ben: Clone) -> None:
    ben.change(train={"epochs": 1, "steps_per_epoch": 1}, promote={"iou_margin": 0.02})
    retrained = ben.run(*ben.make_command("retrain"))
    assert retrained.returncode != 0
    assert "`make promote` would refuse it" in retrained.stdout
    refused = ben.run(*ben.make_command("promote"))
    assert refused.returncode != 0
    assert re.search(r"FAIL +not_worse +0\.\d+; champion \(version 1\)", refused.stdout)
    assert ask(ben, "champion") == "1"


def test_the_second_push_of_two_fails_clearly(anna: Clone, ben: Clone) -> None:
    anna.done("git", "push", "--quiet", "--follow-tags", "origin", "HEAD:main")
    ben.commit("One step of training")
    pushed = ben.run("git", "push", "origin", "HEAD:main")
    assert pushed.returncode != 0
    assert "rejected" in pushed.stdout


RACE = """
import sys, time
from stages.common.errors import InputError
from versions.registry.open import open_registry
with open_registry("small-twin") as registry:
    time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
    try:
        registry.crown(sys.argv[1], instead_of="1")
        ending = "won"
    except InputError as error:
        ending = error.what
print(ending)
"""


def test_of_two_promotions_at_once_one_wins(anna: Clone, ben: Clone) -> None:
    start = str(time.time() + 20)
    racers = [
        clone.start(sys.executable, "-W", "ignore", "-c", RACE, number, start)
        for clone, number in ((anna, "2"), (ben, "3"))
    ]
    ends = sorted(process.communicate()[0].strip().splitlines()[-1] for process in racers)
    assert ends == ["the champion has changed while this one was judged", "won"]
    assert len(ask(anna, "all").split(",")) == 2
    won = ask(anna, "champion")
    unfinished = anna.run(*anna.make_command("rollback"))
    assert unfinished.returncode != 0
    assert f"`make promote VERSION={won}` finishes it" in unfinished.stdout
    anna.make(f"promote VERSION={won}")
    anna.make("rollback")
    assert ask(anna, "champion") == "1"


def test_a_year_more_does_the_least_work_and_a_dead_s3_loses_nothing(anna: Clone, shared: Shared) -> None:
    new = YEARS[-1] + 1
    anna.change(years=[*YEARS, new])
    anna.make("ingest")
    lines = []
    with anna.start(*anna.make_command("retrain")) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if line.startswith("pushing to"):
                shared.s3.die()
    output = "".join(lines)
    assert process.returncode != 0
    assert stages_run(output) == {f"prepare@{new}", f"predict@{new}", "area", "report", "track", "gate"}
    assert f"- new years: {new}" in output
    assert "the results are not all on the remote" in output
    assert "nothing is lost" in output
    shared.s3.start()
    cut = anna.interrupted("pushing to", *anna.make_command("retrain"))
    assert "nothing is lost" in cut
    again = anna.make("retrain")
    assert stages_run(again) == set()
    assert "in sync" in anna.done("dvc", "status", "--cloud", "dvc.yaml", "data.dvc")


def test_a_store_that_knows_no_run_is_given_the_results_that_are_here(anna: Clone) -> None:
    """As on a machine with a store of its own, after `dvc pull`: `track` is up to date, and its run is elsewhere."""
    separate = replace(anna, tracking=f"sqlite:///{anna.folder}/alone.db")
    output = separate.make("retrain")
    assert stages_run(output) == set()
    assert "holds no run of these results: logging them" in output
    assert ask(separate, "challenger") == "1"
