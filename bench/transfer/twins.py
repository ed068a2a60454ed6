"""The twins of the transfer function: simulated, prepared and labelled once, and mapped by any model.

DIR/twins/NAME holds what mapping and measuring need: data without the scenes, prepared scenes, labels.
DIR/maps/MODEL/NAME holds what one model makes of it, MODEL being the first digits of the hash of its `model.onnx`.
Each is made unless it is there; a map whose `artifacts/area` is removed is measured again.
"""

from __future__ import annotations

import contextlib
import random
import shutil
from pathlib import Path

from sandbox import twin_site
from stages.area.contract import CONTRACT as AREA
from stages.area.measure import measure
from stages.common.run.records import file_md5
from stages.ingest.sources.twin.change import OUTLINE_YEAR, ROOM_TO_ADVANCE
from stages.ingest.sources.twin.landscape import make_landscape
from stages.predict.contract import CONTRACT as PREDICT
from stages.predict.predict import predict
from versions.across_sites.training import link
from versions.starting_model.twins import make_site, run_in_process

YEARS = list(range(2016, 2025))
FIRST_SEED, SIDE_M, MARGIN_M, PIXEL_M = 101, 8000, 1000, 10
PLANTED = (1, -1, -2, -1)
"""Planted change of a terrain, by seed, in parts of `STEP`."""
STEP = 0.9 * ROOM_TO_ADVANCE
"""Part of the main glacier's length by which its front moves from the year of the outlines to the last year."""
NEEDED = ("params.yaml", "data", "artifacts/prepare", "artifacts/labels")
"""What mapping and measuring need of a twin."""
DEBRIS = "_debris"
"""End of the name of a twin whose debris cover grows fast."""
DEBRIS_KM2_PER_YEAR = 0.02
"""Growth of the debris cover of the other twins."""
DIGITS = 12
"""Digits of a model's hash that name its folder."""


def twins_of(still: int, changed: int, debris: int) -> list[tuple[int, int, bool]]:
    """Return seed and planted change of the twins, and whether debris alone grows.

    The first `still` terrains are without change, the first `changed` have one, and on the first `debris` debris grows.
    The still and the changed twin of a terrain stand together, so that a run that is stopped has measured both kinds.
    """
    twins = []
    for number in range(max(still, changed)):
        seed = FIRST_SEED + number
        planted = ([0] if number < still else []) + ([PLANTED[seed % len(PLANTED)]] if number < changed else [])
        twins += [(seed, change, False) for change in planted]
    return twins + [(FIRST_SEED + number, 0, True) for number in range(debris)]


def name_of(seed: int, planted: int, *, debris: bool) -> str:
    """Return the name of a twin's folder."""
    return f"s{seed}_{planted:+d}{DEBRIS if debris else ''}"


def maps_of(folder: Path, model: Path) -> Path:
    """Return the folder of all that a finished site's model maps."""
    return folder / "maps" / file_md5(model / "artifacts/train/model.onnx")[:DIGITS]


def make_twin(folder: Path, seed: int, planted: int, *, debris: bool = False) -> Path:
    """Simulate, prepare and label a twin, unless that is done; the scenes themselves are not kept.

    With `debris`, its debris cover grows ten times as fast.
    """
    site = folder / "twins" / name_of(seed, planted, debris=debris)
    if not (site / "artifacts/labels").exists():
        make_site(site, site_params(seed, planted, debris=debris), YEARS)
        shutil.rmtree(site / "data/scenes")
    return site


def map_twin(twin: Path, model: Path, maps: Path) -> Path:
    """Map a twin by a finished site's model and measure the areas, unless that is done; return the map's folder."""
    site = maps / twin.name
    (site / "artifacts/predict").mkdir(parents=True, exist_ok=True)
    for path in NEEDED:
        link((twin / path).resolve(), site / path)
    link((model / "artifacts/train").resolve(), site / "artifacts/train")
    with contextlib.chdir(site):
        for year in YEARS:
            if not Path(f"artifacts/predict/{year}").exists():
                run_in_process(PREDICT, predict, year)
        if not Path("artifacts/area").exists():
            run_in_process(AREA, measure)
    return site


def site_params(seed: int, planted: int, *, debris: bool) -> dict[str, object]:
    """Return params.yaml of a twin; the planted rate is in proportion to the length of its main glacier."""
    side_px = (SIDE_M + 2 * MARGIN_M) // PIXEL_M
    main_glacier = make_landscape(seed, (side_px, side_px), float(PIXEL_M)).glaciers[0]
    rate = -planted * STEP * main_glacier.length_m / (YEARS[-1] - OUTLINE_YEAR)
    chance = random.Random(seed * 10 + planted)
    snowy = [chance.choice(YEARS)] if chance.random() < 0.5 else []
    cloudy = [chance.choice([year for year in YEARS if year not in snowy])] if chance.random() < 0.3 else []
    content = twin_site.params(
        YEARS, seed=seed, retreat_m_per_year=rate, early_snow_years=snowy, cloudy_years=cloudy,
        debris_growth_km2_per_year=DEBRIS_KM2_PER_YEAR * (10 if debris else 1),
    )  # fmt: skip
    left, bottom = twin_site.LEFT, twin_site.BOTTOM
    content["grid"]["pixel_size_m"] = PIXEL_M
    content["ingest"]["aoi"]["bounds"] = [left, bottom, left + SIDE_M, bottom + SIDE_M]
    content["prepare"]["coregister"] = {}
    content["labels"] = {"boundary_ignore_m": 40, "terminus_ignore_m": 400}
    return content
