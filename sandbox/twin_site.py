"""A small twin as a site of its own: 15 x 15 km at 50 m, for tests that run stages on it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import yaml

from sandbox import tiny
from stages.common import logs
from stages.common.params.schema import Params
from stages.ingest.ingest import ingest as run_ingest

LEFT, BOTTOM, SIDE_M, PIXEL_M = 322_000, 3_406_000, 15_000, 50


def params(years: list[int], *, bands: list[str] | None = None, **twin: Any) -> dict[str, Any]:
    """params.yaml; `twin` are knobs of the simulation."""
    return {
        "site": {"name": "small-twin", "title": "Small twin", "simulated": True},
        "years": years,
        "training_years": years[:1],
        "grid": {"crs": "EPSG:32644", "pixel_size_m": PIXEL_M},
        "ingest": {
            "source": "twin",
            "twin": {"seed": 1} | twin,
            "aoi": {"bounds": [LEFT, BOTTOM, LEFT + SIDE_M, BOTTOM + SIDE_M], "crs": "EPSG:32644"},
        },
        "prepare": {"bands": bands or ["B02", "B03", "B04", "B08", "B11", "B12"], "storage": "sentinel2"},
        "labels": {"boundary_ignore_m": 50, "terminus_ignore_m": 400},
        "patches": {"size_px": 64, "margin_px": 16, "stride_px": 32, "block_rows_px": 56, "block_columns_px": 56,
                    "buffer_px": 8},
        "train": {"base_channels": 8, "epochs": 12, "steps_per_epoch": 20, "patience_epochs": 12, "batch_size": 4,
                  "learning_rate": 4e-3},
        "evaluate": {"year": years[0]},
        "predict": {"model": "artifacts/train/model.onnx"},
        "area": {},
        "gates": {},
        "report": {"rgb": ["B04", "B03", "B02"]},
    }  # fmt: skip


def ingest(folder: Path, years: list[int], **knobs: Any) -> Path:
    """Make the site's data in `folder`."""
    return ingest_as(folder, params(years, **knobs))


def ingest_as(folder: Path, content: dict[str, Any]) -> Path:
    """Make the data of a site of these parameters in `folder`."""
    (folder / "params.yaml").write_text(yaml.safe_dump(content))
    with contextlib.chdir(folder):
        run_ingest(Params.model_validate(content), logs.configure("ingest"))
    return folder


def environment() -> dict[str, str]:
    """For a stage in a process of its own."""
    return os.environ | {"PYTHONPATH": str(tiny.ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}
