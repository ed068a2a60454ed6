"""The model that a training starts from: its nets' weights and its normalisation, where the architecture fits.

The normalisation belongs to the weights: with the mean and deviation of another site the nets would see other values,
and the training would start from a model that nobody has fitted.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common.errors import ContractError
from stages.common.params.learning import TrainParams
from stages.common.run.records import read_document
from stages.common.tables.learning import ModelCard
from stages.common.types import AnyArray
from stages.train.beyond.pins import check_kinds
from stages.train.contract import INITIAL_MODEL
from stages.train.data import TrainingData


@dataclass(frozen=True)
class InitialNets:
    """Weights of M nets, and the normalisation that they were fitted with."""

    weights: list[list[AnyArray]]
    mean: list[float]
    std: list[float]

    def of_member(self, number: int) -> list[AnyArray]:
        """Return the weights that member `number` (from 1) starts from."""
        return self.weights[(number - 1) % len(self.weights)]


def read_initial_model(folder: Path, data: TrainingData, params: TrainParams) -> InitialNets:
    """Return the nets of a model as `train` writes it: a folder with weights, architecture and card.

    The architecture is built anew from the parameters; nothing that the file says is run.

    Raises
    ------
    ContractError
        A file is damaged; or bands, scale or architecture are not those of this training.
    """
    from stages.train.ensemble import assemble
    from stages.train.model import build_unet

    check_kinds(folder, INITIAL_MODEL)
    card = read_document(folder / "model_card.json", ModelCard)
    layers = list(_layers(json.loads((folder / "architecture.json").read_text(encoding="utf-8"))))
    kind = {"bands": card.bands, "scale": card.scale, "offset": card.offset, **_architecture(layers)}
    expected = {"bands": data.bands, "scale": data.scale, "offset": data.offset}
    _require_same(kind, expected | params.model_dump(include={"base_channels", "depth", "stem"}), folder)
    normalisation = _configs(layers, "NormaliseWithValidity")
    try:
        mean, std = ([float(value) for value in normalisation[0][name]] for name in ("mean", "std"))
        nets = [
            build_unet(
                bands=len(mean), mean=mean, std=std, base=params.base_channels, depth=params.depth, stem=params.stem
            )
            for _ in range(card.members)
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # that some layers keep their random weights
            assemble(nets, 1.0).load_weights(folder / "model.weights.h5")
    except (IndexError, KeyError, TypeError, ValueError, OSError, UserWarning) as error:
        raise ContractError(
            "weights and architecture of the initial model do not belong together", where=folder,
            expected="a folder that `train` has written", found=" ".join(str(error).split())[:300],
            fix="name the artifacts/train of a finished site, or make one with `make start-model`",
        ) from error  # fmt: skip
    return InitialNets([net.get_weights() for net in nets], mean, std)


def _require_same(model: dict[str, Any], expected: dict[str, Any], folder: Path) -> None:
    if different := [name for name in expected if expected[name] != model[name]]:
        raise ContractError(
            f"the initial model does not fit this training: {', '.join(different)}",
            where=folder,
            expected="; ".join(f"{name} {expected[name]}" for name in different),
            found="; ".join(f"{name} {model[name]}" for name in different),
            fix="take another model, or set train.base_channels, train.depth, train.stem and prepare to its values",
        )


def _architecture(layers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return base_channels, depth and stem, told from the names and filters of the layers."""
    filters = {str(config.get("name")): config.get("filters") for config in _configs(layers, "Conv2D")}
    levels = {name.split("_")[0] for name in filters if name.startswith("down")}
    return {
        "base_channels": filters.get("down0_0_conv"),
        "depth": len(levels),
        "stem": "half" if "stem_conv" in filters else "full",
    }


def _configs(layers: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [layer["config"] for layer in layers if layer["class_name"] == kind]


def _layers(node: Any) -> Iterator[dict[str, Any]]:
    """Yield all layers within a document of Keras, also those of models in a model."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    if isinstance(node, dict) and "class_name" in node and isinstance(node.get("config"), dict):
        yield node
    for child in children:
        yield from _layers(child)
