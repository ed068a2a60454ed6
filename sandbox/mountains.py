"""A made-up mountain range: bright glaciers on dark rock, cut into six cells, and a model that maps what is bright.

It is the site of `sandbox.tiny`, larger: 25 x 13 km at 30 m, two years, thirteen glaciers of known area; no training.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import rasterio.features
import yaml
from affine import Affine
from onnx import TensorProto, helper
from shapely.geometry import Polygon

from sandbox import tiny

CELL_M, MARGIN_M = 6000, 600
COLUMNS, ROWS = 3, 2
FIRST_M = 4000
"""Distance of the first cell from the left edge: cells begin at multiples of their side in UTM."""

HEIGHT_PX, WIDTH_PX = 420, 830
YEARS = (2020, 2021)
ICE, ROCK = 200.0, 90.0


def glaciers(*, shrink: float = 1.0) -> list[Polygon]:
    """Return two glaciers a cell, and one that lies across the border of two cells; `shrink` scales their radii."""
    shapes = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            x, y = FIRST_M + CELL_M * (column + 0.5), CELL_M * (row + 0.5)
            shapes.append(tiny.ellipse(center=(x, y), radii=(1300 * shrink, 800 * shrink)))
            shapes.append(tiny.ellipse(center=(x + 1500, y + 1700), radii=(500 * shrink, 400 * shrink)))
    border = FIRST_M + CELL_M
    return [*shapes, tiny.ellipse(center=(border - 200, 900), radii=(700 * shrink, 350 * shrink))]


def shrink_of(year: int) -> float:
    """Return how much smaller the glaciers are in a year than their outlines."""
    return 1.0 - 0.04 * (year - YEARS[0])


def true_km2(year: int) -> float:
    """Return the area of all glaciers in a year, in km2 on the plane of the projection."""
    return sum(shape.area for shape in glaciers(shrink=shrink_of(year))) / 1e6


def scene(year: int) -> np.ndarray:
    """(3, H, W) uint8: ice near 200, rock near 90, with noise."""
    transform = Affine(tiny.PIXEL_M, 0, tiny.LEFT, 0, -tiny.PIXEL_M, tiny.TOP)
    shapes = [(shape, 1) for shape in glaciers(shrink=shrink_of(year))]
    ice = rasterio.features.rasterize(shapes, out_shape=(HEIGHT_PX, WIDTH_PX), transform=transform)
    noise = np.random.default_rng(year).normal(0, 8, (3, HEIGHT_PX, WIDTH_PX))
    pixels: np.ndarray = np.clip(np.where(ice == 1, ICE, ROCK) + noise, 1, 255).astype(np.uint8)
    return pixels


def bright_model(bands: Sequence[str] = tiny.BANDS, *, ice: float = ICE, rock: float = ROCK) -> bytes:
    """Return an ONNX model that takes bright pixels for ice: sigmoid of the bands' mean, with all metadata."""
    shape: list[str | int] = ["batch", "height", "width"]
    constants = {"zero": 0.0, "middle": (ice + rock) / 2, "steepness": 22 / (ice - rock)}
    nodes = [
        helper.make_node("IsNaN", ["reflectance"], ["hidden"]),
        helper.make_node("Where", ["hidden", "zero", "reflectance"], ["filled"]),
        helper.make_node("ReduceMean", ["filled", "axis"], ["mean"], keepdims=1),
        helper.make_node("Sub", ["mean", "middle"], ["above"]),
        helper.make_node("Mul", ["above", "steepness"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["glacier"]),
    ]
    weights = [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in constants.items()]
    weights.append(helper.make_tensor("axis", TensorProto.INT64, [1], [3]))
    graph = helper.make_graph(
        nodes, "bright",
        [helper.make_tensor_value_info("reflectance", TensorProto.FLOAT, [*shape, len(bands)])],
        [helper.make_tensor_value_info("glacier", TensorProto.FLOAT, [*shape, 1])], weights,
    )  # fmt: skip
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(
        model,
        {
            "bands": ",".join(bands), "threshold": "0.5", "threshold_rule": "given", "temperature": "1.0",
            "members": "1", "area_error": '{"blocks": 4, "dispersion": 9.0}', "stride_px": "8",
            "receptive_field_radius_px": "8", "data_md5": "0" * 32,
        },
    )  # fmt: skip
    return bytes(model.SerializeToString(deterministic=True))


def params(**region: Any) -> dict[str, Any]:
    """Return params.yaml of the region; `region` are keys of its section region."""
    content = tiny.params(Path("source"), list(YEARS))
    content["site"] = {"name": "range", "title": "Made-up mountain range"}
    del content["grid"]["crs"], content["ingest"]["aoi"]
    content["region"] = {
        "model": "source/model.onnx", "results": "results", "cell_km": CELL_M / 1000, "margin_m": MARGIN_M,
    } | region  # fmt: skip
    return content


def make_region(regions: Path, **region: Any) -> Path:
    """Write a region's folder ``range``: scenes, outlines, model and params.yaml; return it."""
    folder = regions / "range"
    for year in YEARS:
        tiny.write_scene(folder / f"source/{year}.tif", scene(year))
    tiny.write_outlines(folder / "source/outlines.gpkg", glaciers())
    (folder / "source/model.onnx").write_bytes(bright_model())
    (folder / "params.yaml").write_text(yaml.safe_dump(params(**region), sort_keys=False), encoding="utf-8")
    return folder
