"""A made-up site, small enough for a test to run the whole DAG on: a bright glacier on dark rock, three years."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
import rasterio.features
import yaml
from affine import Affine
from shapely.geometry import Polygon

CRS = "EPSG:32644"
PIXEL_M = 30.0
SIZE_PX = 160
LEFT, TOP = 350_000.0, 3_420_000.0
BANDS = ["red", "green", "blue"]
ROOT = Path(__file__).resolve().parents[1]


def ellipse(*, center: tuple[float, float], radii: tuple[float, float], nodes: int = 96) -> Polygon:
    """Ellipse with centre and radii in metres from the upper left corner (x to the east, y to the south)."""
    angle = np.linspace(0, 2 * np.pi, nodes, endpoint=False)
    x = LEFT + center[0] + radii[0] * np.cos(angle)
    y = TOP - center[1] - radii[1] * np.sin(angle)
    return Polygon(np.column_stack([x, y]))


def outlines(*, shrink: float = 1.0) -> list[Polygon]:
    """Two glaciers, the first with a nunatak."""
    large = ellipse(center=(2100, 1900), radii=(1200 * shrink, 700 * shrink))
    nunatak = ellipse(center=(2100, 1900), radii=(240, 150), nodes=24)
    small = ellipse(center=(3500, 3500), radii=(500 * shrink, 420 * shrink))
    return [Polygon(large.exterior, [nunatak.exterior]), small]


def scene(year: int, *, shrink: float = 1.0, seed: int = 0) -> np.ndarray:
    """(3, H, W) uint8: ice near 200, rock near 90, with noise."""
    transform = Affine(PIXEL_M, 0, LEFT, 0, -PIXEL_M, TOP)
    ice = rasterio.features.rasterize(
        [(shape, 1) for shape in outlines(shrink=shrink)], out_shape=(SIZE_PX, SIZE_PX), transform=transform
    )
    noise = np.random.default_rng([year, seed]).normal(0, 12, (3, SIZE_PX, SIZE_PX))
    base = np.where(ice == 1, 200.0, 90.0) + np.array([0.0, 4.0, 10.0])[:, None, None]
    pixels: np.ndarray = np.clip(base + noise, 1, 255).astype(np.uint8)
    return pixels


def write_scene(path: Path, pixels: np.ndarray, *, left: float = LEFT, top: float = TOP, crs: str | None = CRS) -> Path:
    """Write a scene as GeoTIFF and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", height=pixels.shape[1], width=pixels.shape[2], count=len(pixels),
        dtype=pixels.dtype, crs=crs, transform=Affine(PIXEL_M, 0, left, 0, -PIXEL_M, top), compress="deflate",
    ) as out:  # fmt: skip
        out.write(pixels)
    return path


def write_outlines(path: Path, shapes: list[Polygon] | None = None) -> Path:
    """Write outlines with RGI 6.0 columns, by default those of the site, and return their path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shapes = outlines() if shapes is None else shapes
    frame = geopandas.GeoDataFrame(
        {
            "RGIId": [f"RGI60-15.{index:05d}" for index in range(1, len(shapes) + 1)],
            "Name": ["Large", None, *[None] * len(shapes)][: len(shapes)],
            "Area": [shape.area / 1e6 for shape in shapes],
            "BgnDate": ["20000901"] * len(shapes),
        },
        geometry=shapes,
        crs=CRS,
    ).to_crs("EPSG:4326")
    frame.to_file(path)
    return path


def params(source: Path, years: list[int]) -> dict[str, Any]:
    """params.yaml of the site; a U-Net just big enough to tell bright from dark."""
    return {
        "site": {"name": "tiny", "title": "Made-up glacier"},
        "years": years,
        "training_years": years[:1],
        "grid": {"crs": CRS, "pixel_size_m": PIXEL_M, "origin_m": [LEFT, TOP]},
        "ingest": {
            "source": "raster",
            "raster": {
                "scenes": [
                    {"path": str(source / f"{year}.tif"), "date": f"{year}-10-15", "bands": BANDS} for year in years
                ]
            },
            "outlines": {"path": str(source / "outlines.gpkg")},
            "aoi": {
                "bounds": [LEFT, TOP - SIZE_PX * PIXEL_M, LEFT + SIZE_PX * PIXEL_M, TOP],
                "crs": CRS,
            },
        },
        "prepare": {"bands": BANDS, "storage": "rgb8"},
        "labels": {"boundary_ignore_m": 30, "terminus_ignore_m": 0},
        "patches": {
            "size_px": 32, "margin_px": 8, "stride_px": 16, "block_rows_px": 32, "block_columns_px": 32,
            "folds": 5, "test_fold": 0, "validation_fold": 1, "buffer_px": 4,
        },
        "train": {"base_channels": 4, "depth": 2, "epochs": 3, "steps_per_epoch": 20, "patience_epochs": 3,
                  "batch_size": 4},
        "evaluate": {"year": years[0]},
        "predict": {"model": "artifacts/train/model.onnx"},
        "area": {"boundary_buffer_px": 1.0},
        "gates": {  # the model of the tests learns for seconds: its areas are known to a half
            "annual_change_pct_max": 20.0, "trend_pct_max": 20.0, "iou_over_baseline_min": -1.0, "sigma_pct_max": 100.0,
        },
        "report": {"rgb": BANDS},
    }  # fmt: skip


def make_site(folder: Path, *, years: tuple[int, ...] = (2020, 2021, 2022)) -> Path:
    """Make a site's folder: ``source/`` with scenes and outlines, ``params.yaml``, links to the code."""
    source = folder / "source"
    for index, year in enumerate(years):
        write_scene(source / f"{year}.tif", scene(year, shrink=1 - 0.02 * index))
    write_outlines(source / "outlines.gpkg")
    write_params(folder, params(source, list(years)))
    for name in ("stages", "docker", "dvc.yaml"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def write_params(folder: Path, content: dict[str, Any]) -> None:
    """Write params.yaml."""
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
