"""Make the jobs of a region: a cell's parameters, its inputs among the results, and the hash that names its result."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

from region.cell import OUTLINES, Job, code_hash
from region.params import RegionParams
from region.plan import Cell
from region.results import Results
from stages.common.errors import InputError
from stages.common.model.inference import read_info
from stages.common.model.precision import graph_at
from stages.common.run.records import file_md5
from stages.ingest.vectors.outlines import OUTLINES_CRS
from stages.predict.predict import check_model_bands

SLACK_DEGREES = 0.01
"""Outlines this near a window go with it: more than any that touches it, so that ingest finds what a site finds."""

PATH_KEYS = ("path", "cloud_mask", "dem", "folder")
"""Keys of `ingest` that hold a path."""


def make_jobs(region: RegionParams, features: Any, cells: Sequence[Cell], results: Results) -> list[Job]:
    """Write the model and the cells' outlines into the results, and return a job for each cell.

    Parameters
    ----------
    features
        GeoDataFrame of the file of outlines, as it was read.

    Raises
    ------
    InputError
        The model or a local scene is absent.
    ContractError
        The file is no model, or one of other bands.
    """
    model = _model(region)
    scenes = _local_files(region)
    model_name = f"inputs/model-{file_md5(model)}.onnx"
    if results.read(model_name) is None:
        results.write(model_name, model.read_bytes())
    bounds = _bounds_in_degrees(features)
    source = region.site["ingest"]["source"]
    limit = (f"catalogue-{region.name}", region.region.catalogue_cells) if source == "stac" else None
    jobs = []
    for cell in cells:
        near = features[_meets(bounds, cell)]
        outlines_hash = _content_hash(near)
        outlines_name = f"inputs/outlines-{cell.name}-{outlines_hash[:16]}.gpkg"
        if results.read(outlines_name) is None:
            results.write(outlines_name, _geopackage(near))
        site = region.cell_site(cell.name, crs=cell.crs, bounds=cell.bounds)
        made_of = {
            "site": site, "model": model_name, "outlines": outlines_hash, "scenes": scenes, "code": code_hash(),
            "glaciers": cell.glaciers,
        }  # fmt: skip
        jobs.append(
            Job(
                cell=cell.name,
                key=_hash(made_of),
                site=_in_place(region, site),
                glaciers=cell.glaciers,
                model=model_name,
                outlines=outlines_name,
                code=code_hash(),
                results=results.url,
                catalogue=limit,
            )
        )
    return jobs


def _model(region: RegionParams) -> Path:
    path = region.path(region.region.model, where="region.model")
    if not path.is_file():
        raise InputError(
            "the model is absent", where=path, expected="model.onnx of a site", found="nothing",
            fix="`dvc pull` it, or name another one in region.model (a champion: models/champion/model.onnx)",
        )  # fmt: skip
    with graph_at(path, region.checked.predict.precision) as graph:
        check_model_bands(read_info(graph), region.checked.prepare.bands, path)
    return path


def _local_files(region: RegionParams) -> dict[str, str]:
    """Return path, as it is written, to hash of every local file or folder that scenes come from."""
    ingest = region.checked.ingest
    outlines = ingest.outlines.path if ingest.outlines else None
    hashes = {}
    for text in ingest.file_paths():
        if text == outlines:
            continue
        path = region.path(text, where="ingest")
        if not path.exists():
            raise InputError(
                "a file that params.yaml names is absent", where=path, expected="a file or folder", found="nothing",
                fix=f"correct {text} in params.yaml",
            )  # fmt: skip
        hashes[text] = file_md5(path) if path.is_file() else _hash(
            sorted((entry.relative_to(path).as_posix(), entry.stat().st_size) for entry in path.rglob("*"))
        )  # fmt: skip
    return hashes


def _in_place(region: RegionParams, site: dict[str, Any]) -> dict[str, Any]:
    """Return a cell's parameters as they hold in any folder: paths absolute, the cell's own outlines."""

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: _absolute(region, item) if key in PATH_KEYS else moved(item) for key, item in value.items()}
        return [moved(item) for item in value] if isinstance(value, list) else value

    ingest = moved(site["ingest"]) | {"outlines": {"path": OUTLINES}}
    return region.checked.model_dump(mode="json", include={"predict"}) | site | {"ingest": ingest}


def _absolute(region: RegionParams, value: Any) -> Any:
    return str(region.path(value, where="ingest")) if isinstance(value, str) else value


def _bounds_in_degrees(features: Any) -> Any:
    return features.geometry.to_crs(OUTLINES_CRS).bounds.to_numpy()


def _meets(bounds: Any, cell: Cell) -> Any:
    """Return the features, (N,) bool, whose bounds in degrees come near a cell's window."""
    window = geopandas.GeoSeries([shapely.box(*cell.bounds).segmentize(1000)], crs=cell.crs).to_crs(OUTLINES_CRS)
    west, south, east, north = window.total_bounds
    near = SLACK_DEGREES
    apart = (bounds[:, 0] > east + near) | (bounds[:, 2] < west - near)
    return ~apart & (bounds[:, 1] <= north + near) & (bounds[:, 3] >= south - near)


def _content_hash(features: Any) -> str:
    text = features.drop(columns=features.geometry.name).to_csv(index=False)
    shapes = b"".join(np.asarray(shapely.to_wkb(features.geometry.array)).tolist())
    return hashlib.sha256(text.encode() + shapes + str(features.crs).encode()).hexdigest()


def _geopackage(features: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "outlines.gpkg")
        features.to_file(path, layer="outlines", driver="GPKG")
        return path.read_bytes()


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
