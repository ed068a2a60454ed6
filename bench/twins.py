"""Many small twins, prepared and labelled by the stages; made once, kept, and mapped by any model."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

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
        site.mkdir(parents=True, exist_ok=True)
        with without_messages():
            twin_site.ingest(site, list(years), seed=seed, retreat_m_per_year=RETREAT_M_PER_YEAR)
        with contextlib.chdir(site):
            run_in_process(PREPARE, prepare, *years)
            run_in_process(LABELS, label)
    return site


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
