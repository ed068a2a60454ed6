"""Many small twins, prepared and labelled by the stages; made once, kept, and mapped by any model."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sandbox import twin_site
from stages.common import logs
from stages.common.run.contracts import Contract
from stages.common.run.stage import Entry, run_stage
from stages.labels.contract import CONTRACT as LABELS
from stages.labels.label import label
from stages.prepare.contract import CONTRACT as PREPARE
from stages.prepare.prepare import prepare

RETREAT_M_PER_YEAR = 40.0


def make_twins(folder: Path, seeds: Sequence[int], years: Sequence[int]) -> list[Path]:
    """Make a site with data, prepared scenes and labels for each seed; sites that exist stay as they are."""
    return [make_twin(folder / str(seed), seed, years) for seed in tqdm(seeds, unit="twin", disable=None)]


def make_twin(site: Path, seed: int, years: Sequence[int]) -> Path:
    """Make a site of 15 x 15 km at 50 m, unless it exists."""
    if not (site / "artifacts/labels").exists():
        make_site(site, twin_site.params(list(years), seed=seed, retreat_m_per_year=RETREAT_M_PER_YEAR), years)
    return site


def make_site(site: Path, content: dict[str, Any], years: Sequence[int]) -> None:
    """Simulate, prepare and label a twin of these parameters in place of what stands in `site`."""
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    with without_messages():
        twin_site.ingest_as(site, content)
    with contextlib.chdir(site):
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
