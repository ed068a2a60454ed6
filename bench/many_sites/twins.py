"""Twins to learn from: each seed has its own terrain, season and change; scenes, labels and patches by the stages."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from bench.twins import make_site, run_in_process
from sandbox import twin_site
from stages.common.params.schema import Params
from stages.common.run.documents import read_yaml
from stages.patches.contract import CONTRACT as PATCHES
from stages.patches.cut import cut_patches

YEARS = [2016, 2020]
BLOCKS = 5
"""Blocks of the split along a side: with five, each fold has five."""


def seeds_in(text: str) -> list[int]:
    """Return the seeds that `1..8`, or a single number, names."""
    first, _, last = text.partition("..")
    return list(range(int(first), int(last or first) + 1))


def make_twins_like(like: Params, seeds: Sequence[int], folder: Path) -> list[Path]:
    """Make a twin for each seed with bands, pixels, patches and training of `like`, unless it is there; return them."""
    return [_make(folder / str(seed), params_like(like, seed)) for seed in tqdm(seeds, unit="twin", disable=None)]


def params_like(like: Params, seed: int) -> dict[str, Any]:
    """Return params.yaml of a twin; what is random about it follows from the seed."""
    chance = random.Random(seed)
    content = twin_site.params(
        YEARS,
        bands=like.prepare.bands,
        seed=seed,
        retreat_m_per_year=round(chance.uniform(0, 40), 1),
        debris_fraction=round(chance.uniform(0.1, 0.5), 2),
        early_snow_years=[chance.choice(YEARS)] if chance.random() < 0.5 else [],
        cloudy_years=[chance.choice(YEARS)] if chance.random() < 0.3 else [],
    )
    values = like.model_dump(mode="json", include={"patches", "train", "labels"})
    side_m = BLOCKS * max(like.patches.block_rows_px, like.patches.block_columns_px) * like.grid.pixel_size_m
    left, bottom = twin_site.LEFT, twin_site.BOTTOM
    content["ingest"]["aoi"]["bounds"] = [left, bottom, left + side_m, bottom + side_m]
    content["grid"]["pixel_size_m"] = like.grid.pixel_size_m
    content["prepare"]["storage"] = like.prepare.storage
    return content | values | {"training_years": YEARS}


def cut(site: Path, years: Sequence[int]) -> Path:
    """Cut patches of a prepared and labelled site from its scenes of `years`, unless that is done; return the site."""
    path = site / "params.yaml"
    path.write_text(yaml.safe_dump(read_yaml(path) | {"training_years": list(years)}), encoding="utf-8")
    with contextlib.chdir(site):
        missing = [year for year in years if not Path(f"artifacts/patches/{year}").exists()]
        if missing:
            run_in_process(PATCHES, cut_patches, *missing)
    return site


def _make(site: Path, content: dict[str, Any]) -> Path:
    if not (site / "artifacts/labels").exists():
        make_site(site, content, YEARS)
    return cut(site, YEARS)
