"""Simulated inputs of the stage `area`, written as its contract requires them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
from affine import Affine
from rasterio.features import rasterize
from shapely.geometry import Polygon, box

from sandbox import tiny
from sandbox.onnx_bytes import smallest_model
from stages.area.contract import CONTRACT
from stages.area.error.interval import Factors, Z
from stages.area.error.model_error import ModelError
from stages.area.measure import measure
from stages.area.site import AreaSite
from stages.area.year.year_area import YearArea
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json, write_table
from stages.common.run.stage import main
from stages.common.tables.data import AuxiliaryManifest
from stages.common.tables.kinds import PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.tables.labels import GlacierRow
from stages.common.tables.learning import AreaError, MapModel
from stages.common.tables.prepare import Provenance, SceneSource
from stages.common.tables.truth import Truth

GRID = Grid(
    crs=tiny.CRS, transform=Affine(30.0, 0, tiny.LEFT, 0, -30.0, tiny.TOP), height=tiny.SIZE_PX, width=tiny.SIZE_PX
)
PIXEL_KM2 = 0.0009


def year_area(
    year: int, area_km2: float | None, *, sigma_km2: float = 0.1, dated: bool = True, model_km2: float | None = None,
    **changed: Any,
) -> YearArea:  # fmt: skip
    """A year of one glacier; None: left out."""
    mapped = np.array([0.0, 100.0 if area_km2 is None else area_km2])
    attributes: dict[str, Any] = {
        "year": year, "decimal_year": year + (0.8 if dated else 0.5), "dated": dated, "date": f"{year}-10-15",
        "scene_ids": "", "baselines": (), "mapped_km2": mapped, "unseen_km2": np.zeros(2),
        "common_by_glacier_km2": None if area_km2 is None else mapped, "delineation_km2": np.array([0.0, sigma_km2]),
        "model": model_km2 and ModelError(by_glacier_km2=np.array([0.0, model_km2]), whole_km2=model_km2),
        "factors": Factors(by_level=Z, method="normal"), "aoi_observed_km2": 500.0, "outlines_observed_km2": 100.0,
        "valid_fraction": 1.0, "speckle_km2": 0.0, "speckle_pieces": 0,
    }  # fmt: skip
    return YearArea(**attributes | changed)


def burn(shapes: Sequence[Polygon], grid: Grid = GRID) -> np.ndarray:
    """(H, W) uint16: 1, 2, ... inside the shapes."""
    numbered = [(shape, index) for index, shape in enumerate(shapes, start=1)]
    return rasterize(numbered, out_shape=grid.shape, transform=grid.transform, dtype="uint16")


def year_source(year: int, *, date: str | None, baseline: str | None = None) -> Provenance:
    source = SceneSource(
        id=f"scene-{year}", date=date, product=f"{year}.tif", processing_baseline=baseline,
        scale=1.0, offset=0.0, filled_fraction=1.0,
    )  # fmt: skip
    return Provenance(
        year=year, date=date, storage="rgb8", bands=tiny.BANDS, grid=str(GRID), sources=[source],
        valid_fraction=1.0, outside_fraction=0.0, cloud_fraction=0.0, clipped_pixels=0,
    )  # fmt: skip


SURE = MapModel(
    threshold=0.5, threshold_rule="given", temperature=1.0, members=1,
    area_error=AreaError(blocks=24, dispersion=1.0, factor_68=1.0, factor_95=2.0),
)  # fmt: skip


def write_year(
    root: Path, ice: np.ndarray, observed: np.ndarray, provenance: Provenance, grid: Grid, *,
    probability: np.ndarray | None = None, model: MapModel = SURE,
) -> None:  # fmt: skip
    """A map that is sure of every pixel, unless a probability is given."""
    year = provenance.year
    prepare, predict = root / f"artifacts/prepare/{year}", root / f"artifacts/predict/{year}"
    for folder in (prepare, predict):
        folder.mkdir(parents=True)
    write_cog(prepare / "scene.tif", np.ones((3, *grid.shape), np.uint8), grid, nodata=None, bands=tiny.BANDS)
    write_cog(
        predict / "probability.tif", np.where(observed, ice * np.uint16(10000), 65535).astype(np.uint16), grid,
        nodata=65535, scale=1e-4,
    )  # fmt: skip
    write_cog(prepare / "valid.tif", observed.astype(np.uint8), grid, nodata=None)
    write_cog(predict / "mask.tif", np.where(observed, ice, 255).astype(np.uint8), grid, nodata=255)
    stored = np.rint((ice if probability is None else probability) / PROBABILITY_SCALE).astype(np.uint16)
    stored = np.where(observed, stored, np.uint16(PROBABILITY_NODATA))
    write_cog(predict / "probability.tif", stored, grid, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    write_json(predict / "model.json", model)
    write_json(prepare / "provenance.json", provenance)


def write_site(root: Path, prior: Sequence[Polygon], grid: Grid = GRID, aoi: Polygon | None = None) -> None:
    for folder in ("data/truth", "data/auxiliary", "artifacts/labels", "artifacts/train", "metrics"):
        (root / folder).mkdir(parents=True)
    names = [f"RGI60-15.{index:05d}" for index in range(1, len(prior) + 1)]
    blank: dict[str, Any] = {"src_date": "2000-09-01", "cenlon": 0.0, "cenlat": 0.0, "termlon": 79.1, "termlat": 30.9}
    frame = geopandas.GeoDataFrame(
        {
            "rgi_id": names, "glac_name": ["Large", *[None] * (len(prior) - 1)], "area_km2": 1.0, **blank,
            "zmin_m": 4000.0, "zmax_m": np.nan,
        },
        geometry=list(prior), crs=grid.crs,
    )  # fmt: skip
    frame.to_crs("EPSG:4326").to_file(root / "data/outlines.gpkg")
    area = box(*grid.bounds) if aoi is None else aoi
    geopandas.GeoDataFrame(geometry=[area], crs=grid.crs).to_file(root / "data/aoi.gpkg")
    write_json(root / "data/auxiliary/manifest.json", AuxiliaryManifest())
    write_json(root / "data/truth/truth.json", Truth(simulated=False, years=[]))
    write_cog(root / "artifacts/labels/glacier_id.tif", burn(prior, grid), grid, nodata=None)
    rows = [
        GlacierRow(
            glacier_index=index, rgi_id=name, glac_name="Large" if index == 1 else None,
            outline_area_km2=1.0, geodesic_area_km2=1.0, terminus="unknown",
        )
        for index, name in enumerate(names, start=1)
    ]  # fmt: skip
    write_table(root / "artifacts/labels/glaciers.csv", rows, GlacierRow)
    (root / "artifacts/train/model.onnx").write_bytes(smallest_model())


def write_inputs(
    root: Path,
    ice: Mapping[int, np.ndarray],
    *,
    observed: Mapping[int, np.ndarray] | None = None,
    dates: Mapping[int, str | None] | None = None,
    prior: Sequence[Polygon] | None = None,
    aoi: Polygon | None = None,
    area: Mapping[str, Any] | None = None,
    grid: Grid = GRID,
    probability: Mapping[int, np.ndarray] | None = None,
    model: MapModel = SURE,
    gates: Mapping[str, Any] | None = None,
) -> None:
    """All inputs; by default everything is observed, each scene is of 15 October, outlines are tiny's."""
    write_site(root, tiny.outlines() if prior is None else prior, grid, aoi)
    content = tiny.params(root / "source", sorted(ice)) | {
        "area": {"outlines": "image"} | dict(area or {}),
        "gates": dict(gates or {}),
    }
    tiny.write_params(root, content)
    for year, mask in ice.items():
        date = (dates or {}).get(year, f"{year}-10-15")
        visible = (observed or {}).get(year, np.ones(grid.shape, dtype=bool))
        chance = (probability or {}).get(year)
        write_year(root, mask, visible, year_source(year, date=date), grid, probability=chance, model=model)


def run_area() -> int:
    return main(CONTRACT, measure, [])


def area_site(
    owner: np.ndarray, *, grid: Grid, aoi: np.ndarray | None = None, prior: np.ndarray | None = None
) -> AreaSite:
    """A site of glaciers G1, G2, ... without any file; by default all is AOI, and the prior outlines are `owner`."""
    whole = np.ones(grid.shape, dtype=bool) if aoi is None else aoi
    glaciers = [
        GlacierRow(glacier_index=index, rgi_id=f"G{index}", outline_area_km2=1, geodesic_area_km2=1, terminus="unknown")
        for index in range(1, int(owner.max()) + 1)
    ]
    outlines = owner > 0 if prior is None else prior
    return AreaSite(
        grid=grid, aoi=Bits.of(whole), prior=Bits.of(outlines & whole), owner=Plane.of(None, owner.astype(np.uint16)),
        glaciers=glaciers, outlines_km2=np.zeros(1 + len(glaciers)),
        aoi_km2=float(whole.sum()) * grid.pixel_size_m**2 / 1e6, outlines=geopandas.GeoDataFrame(),
    )  # fmt: skip
