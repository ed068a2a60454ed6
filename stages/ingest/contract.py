"""What `ingest` writes. It reads what params.yaml names, wherever that lies, and is no stage of the DAG."""

from pathlib import Path

from stages.common import kinds
from stages.common.contracts import Contract, fill
from stages.common.errors import ContractError
from stages.common.params import Params

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
        "catalog.json": kinds.CATALOG,
    },
)
"""Paths are relative to data/."""


def check(folder: Path, params: Params) -> None:
    """Raise `ContractError` unless a complete ``data/`` stands in `folder`."""
    for template, artefact in CONTRACT.outputs.items():
        for path in fill(template, params, None).values():
            if (folder / path).exists():
                artefact.check(folder / path)
            elif not artefact.optional:
                raise ContractError("ingest did not write a file", where=DATA / path, expected=artefact.summary)
