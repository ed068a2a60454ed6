"""Years ahead of `dvc repro`: the same files and dvc.lock as DVC alone gives, on a pipeline of one-line stages."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from sandbox import tiny
from stages.common import settings
from stages.common.errors import InputError
from stages.common.params.schema import Params
from tests import forked
from tests.repository import done
from versions.tools import ahead, commands
from versions.tools.ahead import Answer, ask, run_ahead
from versions.tools.commands import run_dvc

YEARS = [2020, 2021, 2022]
PARAMS = Params.model_validate(tiny.params(Path("source"), YEARS))
"""2020 is the training year."""

YEARLY = {"matrix": {"year": YEARS}}
PIPELINE = {
    "stages": {
        "labels": {"cmd": "./write labels data", "deps": ["data"], "outs": ["artifacts/labels"]},
        "prepare": {
            **YEARLY, "cmd": "./write prepare/${item.year} data/${item.year}", "deps": ["data/${item.year}"],
            "outs": ["artifacts/prepare/${item.year}"],
        },
        "patches": {
            "matrix": {"year": YEARS[:1]}, "cmd": "./write patches/2020 artifacts/prepare/2020 artifacts/labels",
            "deps": ["artifacts/prepare/2020", "artifacts/labels"], "outs": ["artifacts/patches/2020"],
        },
        "train": {
            "cmd": "./write train artifacts/patches", "deps": ["artifacts/patches"], "outs": ["artifacts/train"],
            "metrics": [{"metrics/train.json": {"cache": False}}],
        },
        "evaluate": {
            "cmd": "./write evaluate artifacts/train", "deps": ["artifacts/train"], "outs": ["artifacts/evaluate"],
        },
        "predict": {
            **YEARLY, "cmd": "./write predict/${item.year} artifacts/train artifacts/prepare/${item.year}",
            "deps": ["artifacts/train", "artifacts/prepare/${item.year}"], "outs": ["artifacts/predict/${item.year}"],
        },
        "area": {"cmd": "./write area artifacts/predict", "deps": ["artifacts/predict"], "outs": ["artifacts/area"]},
    }
}  # fmt: skip
WRITE = """#!/bin/sh
set -e
out=artifacts/$1; shift; rm -rf $out; mkdir -p $out metrics
find "$@" -type f | sort | xargs cat > $out/content
[ $out != artifacts/train ] || cp $out/content metrics/train.json
echo "$DVC_STAGE" >> ran
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(settings.JOBS, "3")
    monkeypatch.setattr(commands, "subprocess", forked)
    for year in YEARS:
        (tmp_path / f"data/{year}").mkdir(parents=True)
        (tmp_path / f"data/{year}/scene").write_text(f"{year}\n")
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    (tmp_path / "params.yaml").write_text("{}\n")
    (tmp_path / "write").write_text(WRITE)
    (tmp_path / "write").chmod(0o755)
    return tmp_path


def start_dvc(site: Path) -> None:
    done(site, "git", "init", "--quiet")
    done(site, "dvc", "init", "--quiet")
    (site / ".gitignore").write_text("/artifacts\n/metrics\n/data\n")


def results(site: Path) -> dict[str, str]:
    paths = [path for folder in ("artifacts", "metrics") for path in sorted((site / folder).rglob("*"))]
    return {str(path.relative_to(site)): path.read_text() for path in paths if path.is_file()}


def stages_of(site: Path) -> list[str]:
    """Return the stages that have run since the last time, in their order."""
    names = (site / "ran").read_text().split() if (site / "ran").exists() else []
    (site / "ran").unlink(missing_ok=True)
    return names


def test_files_and_lock_are_those_of_dvc_alone(site: Path) -> None:
    start_dvc(site)
    run_dvc(site, "repro")
    alone, lock = results(site), yaml.safe_load((site / "dvc.lock").read_text())
    assert len(stages_of(site)) == 11
    assert not run_ahead(PARAMS)  # all is up to date
    for folder in ("artifacts", "metrics", ".dvc/cache"):
        shutil.rmtree(site / folder)
    (site / "dvc.lock").unlink()

    assert run_ahead(PARAMS)
    ran = stages_of(site)
    assert sorted(ran) == sorted({*lock["stages"]} - {"area"})
    assert ran.index("train") > ran.index("patches@2020") > max(ran.index("labels"), ran.index("prepare@2020"))
    assert min(ran.index(f"predict@{year}") for year in YEARS) > ran.index("train")
    assert run_dvc(site, "repro").returncode == 0
    assert stages_of(site) == ["area"]
    assert results(site) == alone
    assert yaml.safe_load((site / "dvc.lock").read_text()) == lock

    shutil.rmtree(site / "artifacts/prepare")  # DVC has it in its cache: nothing runs
    run_ahead(PARAMS)
    assert run_dvc(site, "repro").returncode == 0
    assert (stages_of(site), results(site)) == ([], alone)


def test_only_what_dvc_has_is_said_to_be_cached(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC's own dry run says so of every stage that has run before, whatever has changed since."""
    monkeypatch.setenv(settings.JOBS, "2")
    start_dvc(site)
    assert run_dvc(site, "repro").returncode == 0
    scene = site / "data/2020/scene"
    scene.write_text("more ice")
    assert list(ask("prepare@2020").commands) == ["prepare@2020"]
    assert ask("prepare@2020").cached == []
    stages_of(site)
    run_ahead(PARAMS)
    assert {"prepare@2020", "train"} < set(stages_of(site))
    assert run_dvc(site, "repro").returncode == 0
    scene.write_text("2020\n")
    assert ask("prepare@2020").cached == ["prepare@2020"]


DRY = """'data.dvc' didn't change, skipping
Stage 'labels' didn't change, skipping
Running stage 'prepare@2020':
> ./write prepare/2020 data/2020

Stage 'prepare@2021' is cached - skipping run, checking out outputs
Running stage 'prepare@2021':
> ./write prepare/2021 data/2021

Running stage 'sites/small/dvc.yaml:prepare@2022':
> false
Use `dvc push` to send your updates to remote storage.
"""


class Dvc:
    """Answers as DVC does, and keeps what it was asked."""

    def __init__(self, dry: str, code: int = 0) -> None:
        self.dry, self.code, self.asked = dry, code, list[Sequence[str]]()

    def __call__(self, site: Path, *arguments: str, then: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        self.asked.append((*arguments, *then))
        is_dry = "--dry" in arguments
        return subprocess.CompletedProcess(arguments, self.code if is_dry else 0, self.dry if is_dry else "", "")


@pytest.fixture
def dvc(monkeypatch: pytest.MonkeyPatch) -> Dvc:
    dvc = Dvc(DRY)
    monkeypatch.setattr(ahead, "run_dvc", dvc)
    return dvc


def test_what_dvc_would_do_is_read(dvc: Dvc) -> None:
    answer = ask()
    assert answer.commands == {"prepare@2020": "./write prepare/2020 data/2020", "prepare@2022": "false"}
    assert answer.cached == ["prepare@2021"]
    assert answer.is_complete
    assert not answer.is_nothing
    dvc.dry, dvc.code = "Stage 'labels' didn't change, skipping\n", 255
    assert not ask().is_nothing  # it died before it has looked at all


@pytest.mark.parametrize(
    ("stale", "is_worth_it"),
    [
        pytest.param(["prepare@2020", "predict@2020", "area"], False, id="a new year"),
        pytest.param(["area", "report"], False, id="no years"),
        pytest.param(["prepare@2020", "prepare@2021"], True, id="two years"),
        pytest.param(["predict@2020", "predict@2021"], True, id="another model"),
        pytest.param(["train"], True, id="all years when the model has changed"),
    ],
)
def test_dvc_alone_does_what_is_one_after_the_other(stale: list[str], is_worth_it: bool) -> None:
    assert Answer(dict.fromkeys(stale, "true")).is_worth_it == is_worth_it


def test_what_was_done_before_an_error_is_recorded(site: Path, dvc: Dvc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.JOBS, "2")
    dvc.dry = DRY.replace("Running", "Running stage 'labels':\n> sleep 600\n\nRunning", 1)
    with pytest.raises(InputError, match="a stage failed") as caught:
        run_ahead(PARAMS)  # prepare@2022 begins when prepare@2020 has ended, beside labels
    assert (caught.value.where, caught.value.found) == ("prepare@2022", "exit code 1; its message is above")
    assert dvc.asked[1:] == [
        ("repro", "--single-item", "prepare@2021"),
        ("commit", "--quiet", "--force", "prepare@2020"),
    ]
    assert stages_of(site) == ["prepare@2020"]


def test_what_ran_while_the_code_was_changed_is_not_recorded(site: Path, dvc: Dvc) -> None:
    dvc.dry = DRY.replace("false", "sh -c 'echo more >> params.yaml'")
    with pytest.raises(InputError, match="were changed while stages ran"):
        run_ahead(PARAMS)
    assert not [arguments for arguments in dvc.asked if arguments[0] == "commit"]


def test_on_one_core_dvc_alone_runs_all(site: Path, dvc: Dvc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.JOBS, "1")
    assert run_ahead(PARAMS)
    assert len(dvc.asked) == 1
    assert stages_of(site) == []
