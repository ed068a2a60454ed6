"""Write untrained models as `train` exports them: ``python -m tests.models <folder> <bands>``.

Their weights and batch statistics are random, so that every layer matters.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stages.common import settings
from stages.common.tables.drift import BandReference
from stages.common.tables.learning import AreaError, ModelCard

STEM, DEPTH, BASE = "half", 3, 4
REFERENCE = BandReference(starts=[100], shares=[0.4, 0.6], mean=101.5, std=50.0)


def build(folder: Path, bands: list[str], members: int = 1, temperature: float = 1.0) -> None:
    """Write architecture, weights, card and model.onnx into `folder`."""
    settings.quiet_tensorflow()
    import keras
    import numpy as np

    from stages.common.run.outputs import write_json
    from stages.train.ensemble import assemble
    from stages.train.export import export
    from stages.train.model import build_unet, receptive_field_radius_px, stride_px

    keras.utils.set_random_seed(7)
    count = len(bands)
    rng, nets = np.random.default_rng(7), []
    for _ in range(members):
        net = build_unet(bands=count, mean=[100.0] * count, std=[50.0] * count, base=BASE, depth=DEPTH, stem=STEM)
        net.set_weights([w + rng.normal(0, 0.1, w.shape).astype(w.dtype) ** 2 for w in net.get_weights()])
        nets.append(net)
    model = assemble(nets, temperature)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "architecture.json").write_text(model.to_json())
    model.save_weights(folder / "model.weights.h5")
    reach = stride_px(depth=DEPTH, stem=STEM), receptive_field_radius_px(depth=DEPTH, stem=STEM)
    write_json(folder / "model_card.json", card(bands, *reach, model.count_params(), members, temperature))
    export(folder)


def card(bands: list[str], stride: int, radius: int, parameters: int, members: int, temperature: float) -> ModelCard:
    error = AreaError(blocks=4, dispersion=9.0, factor_68=1.5)
    return ModelCard(
        bands=bands, scale=1.0, offset=0.0, threshold=0.5, stride_px=stride, receptive_field_radius_px=radius,
        parameters=parameters, training_years=[2020], data_md5="0" * 32, best_epoch=1, val_iou=0.5,
        onnx_max_difference=0.0, tensorflow="-", keras="-", intra_op_threads=1, instruction_set="-", device="CPU",
        members=members, temperature=temperature, area_error=error,
        band_references=[REFERENCE] * len(bands),
    )  # fmt: skip


if __name__ == "__main__":
    build(Path(sys.argv[1], "single"), sys.argv[2].split(","))
    build(Path(sys.argv[1], "ensemble"), sys.argv[2].split(","), members=2, temperature=2.0)
