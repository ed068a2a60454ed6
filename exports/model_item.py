"""The model that mapped as a STAC item with the Machine Learning Model extension."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from exports.elsewhere import NCHW, write_nchw
from exports.finished import Finished
from exports.stac import MLM, RASTER, VERSION, footprint_of, whole_years
from stages.common.model.inference import OUTPUT, ModelInfo, read_info
from stages.common.run.records import file_md5, read_document
from stages.common.tables.learning import ModelCard

CARD = "artifacts/train/model_card.json"
DIMENSIONS = ["batch", "height", "width", "channel"]


def write_model(site: Finished, folder: Path) -> None:
    """Write the model, its NCHW form and the item into `folder`.

    Raises
    ------
    ContractError, InputError
        The model is absent or cannot be used.
    """
    import pystac

    folder.mkdir()
    source = site.root / site.params.predict.model
    info = read_info(source)
    shutil.copyfile(source, folder / "model.onnx")
    write_nchw(source, info, site, folder / NCHW)
    geometry, bbox = footprint_of(site)
    years = site.params.training_years
    item = pystac.Item(
        id=f"{site.params.site.name}-model", geometry=geometry, bbox=bbox,
        datetime=None, **whole_years(years[0], years[-1]),
        properties=properties(site, info),
    )  # fmt: skip
    item.stac_extensions = [MLM, RASTER, VERSION]
    item.add_asset("model", model_asset("model.onnx", "the model as it maps here: NHWC, physical values", info))
    item.add_asset("nchw", model_asset(NCHW, "the same for QGIS's Deepness and for GeoDeep: NCHW, tiles", info))
    text = json.dumps(item.to_dict(include_self_link=False), indent=2) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")


def properties(site: Finished, info: ModelInfo) -> dict[str, Any]:
    """Return the properties of the item: what goes into the model, what comes out, how it was made."""
    path = site.root / CARD
    trained_here = site.params.predict.model.startswith("artifacts/train/") and path.exists()
    card = read_document(path, ModelCard) if trained_here else None
    shape = [-1, -1, -1]
    return {
        "title": f"{site.params.site.title}: model",
        "version": file_md5(info.path),
        "mlm:name": f"glacier-unet-{site.params.site.name}",
        "mlm:architecture": "U-Net",
        "mlm:tasks": ["semantic-segmentation"],
        "mlm:framework": "Keras",
        **({"mlm:framework_version": card.keras, "mlm:total_parameters": card.parameters} if card else {}),
        "mlm:pretrained": False,
        "mlm:pretrained_source": None,
        "mlm:accelerator_constrained": False,
        "mlm:input": [
            {
                "name": "reflectance",
                "description": "physical values of the bands; NaN where a pixel is not valid",
                "bands": list(info.bands),
                "input": {"shape": [*shape, len(info.bands)], "dim_order": DIMENSIONS, "data_type": "float32"},
                "resize_type": None,
                "pre_processing_function": None,
            }
        ],
        "mlm:output": [
            {
                "name": OUTPUT,
                "description": "calibrated probability of glacier",
                "tasks": ["semantic-segmentation"],
                "result": {"shape": [*shape, 1], "dim_order": DIMENSIONS, "data_type": "float32"},
                "post_processing_function": None,
            }
        ],
        "mlm:hyperparameters": {
            "threshold": info.threshold, "temperature": info.temperature, "members": info.members,
            "stride_px": info.stride_px, "receptive_field_radius_px": info.receptive_field_radius_px,
            "training_years": site.params.training_years,
        },
    }  # fmt: skip


def model_asset(href: str, title: str, info: ModelInfo) -> Any:
    """Return the asset of a model's file, with the bands that it reads."""
    import pystac

    bands = [{"name": band, "data_type": "float32"} for band in info.bands]
    return pystac.Asset(
        href=f"./{href}", title=title, media_type="application/octet-stream; framework=onnx",
        roles=["mlm:model", "data"],
        extra_fields={"mlm:artifact_type": "onnx", "raster:bands": bands},
    )  # fmt: skip
