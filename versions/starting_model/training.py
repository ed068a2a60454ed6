"""The training of a starting model, on the patches of all its twins."""

from __future__ import annotations

import shutil
from pathlib import Path

from stages.common.errors import ContractError
from stages.common.run.outputs import atomic_folder
from stages.common.run.replace import SCRATCH
from versions.across_sites.training import train_on
from versions.starting_model.params import BEYOND, StartParams

TWINS, MODEL = Path("artifacts/twins"), Path("model")
"""Folder of a twin for each seed, and of the model as `train` writes it; within the model's own folder."""


def train_start(start: StartParams) -> Path:
    """Train on the twins of all seeds from random weights and write the model; return its folder.

    Raises
    ------
    ContractError
        The twins are not those of the seeds.
    InputError
        The training failed; it has said why.
    """
    require_twins(start)
    place = SCRATCH / "training"
    shutil.rmtree(place, ignore_errors=True)  # of a run that was killed: its code may have been another
    sites = [TWINS / str(seed) for seed in start.seeds]
    trained = train_on(sites, place, start.train.model_dump(mode="json", exclude=BEYOND))
    with atomic_folder(MODEL) as draft:
        shutil.copytree(trained, draft, dirs_exist_ok=True)
    shutil.rmtree(place)
    return MODEL


def require_twins(start: StartParams) -> None:
    """Refuse any other twins than those of the seeds.

    Raises
    ------
    ContractError
        One is absent, or there is one more.
    """
    seeds = sorted(int(path.name) for path in TWINS.glob("*") if path.name.isdigit())
    if seeds != sorted(start.seeds):
        raise ContractError(
            "the twins are not those of the seeds", where=TWINS, expected=sorted(start.seeds), found=seeds or "nothing",
            fix="remove the folders of other seeds, and run `dvc repro`, which makes those that are missing",
        )  # fmt: skip
