"""What `ingest` writes. It reads the files and servers that params.yaml names, and is not a stage of the DAG."""

from pathlib import Path

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

DATA = Path("data")

CONTRACT = Contract(
    stage="ingest",
    summary="Scenes, outlines and AOI of a site into data/, and data.dvc that pins them",
    params=("years", "grid", "ingest", "prepare"),
    inputs={},
    outputs={
        "scenes/{years}/index.json": kinds.SCENE_ITEMS,
        "outlines.gpkg": kinds.OUTLINES,
        "aoi.gpkg": kinds.AOI,
        "auxiliary/manifest.json": kinds.AUXILIARY,
        "auxiliary/dem.tif": kinds.DEM,
        "auxiliary/debris.gpkg": kinds.DEBRIS,
        "auxiliary/flow_lines.gpkg": kinds.FLOW_LINES,
        "auxiliary/review.yaml": kinds.REVIEW,
        "auxiliary/review.gpkg": kinds.CORRECTIONS,
        "truth/truth.json": kinds.TRUTH,
        "truth/surface.tif": kinds.TRUE_SURFACE,
        "catalog.json": kinds.CATALOG,
        "scene_choice.csv": kinds.SCENE_CHOICE,
    },
)
"""Paths are relative to data/."""
