"""Twins to learn from: of the kind of a site (8-bit RGB: as Landsat 7 shows them), or those of bench.twins."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import yaml
from tqdm import tqdm

from bench.many_sites import landsat
from stages.common.params.schema import Params
from stages.common.run.documents import read_yaml
from stages.patches.contract import CONTRACT as PATCHES
from stages.patches.cut import cut_patches
from versions.starting_model.params import params_like
from versions.starting_model.twins import make_twin, run_in_process

YEARS = [2016, 2020]


def seeds_in(text: str) -> list[int]:
    """Return the seeds that `1..8`, or a single number, names."""
    first, _, last = text.partition("..")
    return list(range(int(first), int(last or first) + 1))


def make_twins_like(like: Params, seeds: Sequence[int], folder: Path) -> list[Path]:
    """Make a twin for each seed with bands, pixels, patches and training of `like`, unless it is there; return them."""
    start = params_like(like, seeds, YEARS)
    for seed in tqdm(seeds, unit="twin", disable=None):
        site = folder / str(seed)
        if (site / "artifacts/patches").exists():
            continue
        if like.prepare.storage == "rgb8":
            landsat.make_twin_like(like, seed, YEARS, site, (folder / ".tmp").resolve())
        else:
            make_twin(start, seed, site, scratch=folder / ".tmp")
    return [folder / str(seed) for seed in seeds]


def cut(site: Path, years: Sequence[int]) -> Path:
    """Cut patches of a prepared and labelled site from its scenes of `years`, unless that is done; return the site."""
    path = site / "params.yaml"
    path.write_text(yaml.safe_dump(read_yaml(path) | {"training_years": list(years)}), encoding="utf-8")
    with contextlib.chdir(site):
        missing = [year for year in years if not Path(f"artifacts/patches/{year}").exists()]
        if missing:
            run_in_process(PATCHES, cut_patches, *missing)
    return site
