"""Many small twins, prepared and labelled by the stages; made once, kept, and mapped by any model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from sandbox import twin_site
from versions.starting_model.twins import make_site

RETREAT_M_PER_YEAR = 40.0


def make_twins(folder: Path, seeds: Sequence[int], years: Sequence[int]) -> list[Path]:
    """Make a site with data, prepared scenes and labels for each seed; sites that exist stay as they are."""
    return [make_twin(folder / str(seed), seed, years) for seed in tqdm(seeds, unit="twin", disable=None)]


def make_twin(site: Path, seed: int, years: Sequence[int]) -> Path:
    """Make a site of 15 x 15 km at 50 m, unless it exists."""
    if not (site / "artifacts/labels").exists():
        make_site(site, twin_site.params(list(years), seed=seed, retreat_m_per_year=RETREAT_M_PER_YEAR), years)
    return site
