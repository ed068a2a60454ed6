"""Twins as sites: simulated, prepared, labelled and cut into patches by the stages, in this process."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from stages.common import logs
from stages.common.params.schema import Params
from stages.common.run.contracts import Contract
from stages.common.run.outputs import atomic_folder
from stages.common.run.replace import SCRATCH
from stages.common.run.stage import Entry, run_stage
from stages.ingest.ingest import ingest
from stages.labels.contract import CONTRACT as LABELS
from stages.labels.label import label
from stages.patches.contract import CONTRACT as PATCHES
from stages.patches.cut import cut_patches
from stages.prepare.contract import CONTRACT as PREPARE
from stages.prepare.prepare import prepare
from versions.starting_model.params import StartParams, params_of_twin

NOT_KEPT = ("data.dvc", "data", "artifacts/prepare", "artifacts/labels", "artifacts/.tmp")
"""What a training needs no more; DVC's cache would hold four times as much."""


def make_twin(start: StartParams, seed: int, out: Path, *, scratch: Path = SCRATCH) -> None:
    """Make the twin of a seed in the folder `out`: params.yaml and artifacts/patches, as of a site."""
    with atomic_folder(out, scratch=scratch) as site:
        make_site(site, params_of_twin(start, seed), start.years)
        with contextlib.chdir(site):
            run_in_process(PATCHES, cut_patches, *start.years)
        for name in NOT_KEPT:
            path = site / name
            path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)


def make_site(site: Path, content: dict[str, Any], years: Sequence[int]) -> None:
    """Simulate, prepare and label a twin of these parameters in place of what stands in `site`."""
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    (site / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with contextlib.chdir(site):
        with without_messages():
            ingest(Params.model_validate(content), logs.configure("ingest"))
        run_in_process(PREPARE, prepare, *years)
        run_in_process(LABELS, label)


def run_in_process(contract: Contract, entry: Entry, *years: int) -> None:
    """Run a stage in this process and folder, for each of `years` or once."""
    with without_messages():
        for year in years or (None,):
            run_stage(contract, entry, year=year, log=logs.configure(contract.stage))


@contextlib.contextmanager
def without_messages() -> Iterator[None]:
    """Hold back the messages of stages up to warnings: those of two hundred sites would hide the results."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
