"""From fitted nets to the model that is used: logits divided by the temperature, probabilities averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from stages.common.model.inference import MEMBERS_OUTPUT, OUTPUT


@keras.saving.register_keras_serializable(package="glacier")
class Temperature(keras.layers.Layer):  # type: ignore[misc]
    """Divide logits by a constant, so that the sigmoid behind it is calibrated (Guo et al. 2017).

    Parameters
    ----------
    temperature
        Positive; above 1 it makes a net less sure of itself, 1 changes nothing.
    """

    def __init__(self, *, temperature: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if temperature <= 0:
            raise ValueError(f"temperature must be positive, not {temperature}")
        self.temperature = float(temperature)

    def call(self, inputs: Any) -> Any:
        """Return logits of the same shape."""
        return inputs / self.temperature

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "temperature": self.temperature}


def logits_of(net: keras.Model) -> keras.Model:
    """Return the net of `stages.train.model.build_unet` without its sigmoid."""
    return keras.Model(net.inputs[0], net.get_layer("logit").output, name="logits")


def assemble(nets: Sequence[keras.Model], temperature: float) -> keras.Model:
    """Build the calibrated model; its weights are those of `nets`.

    Returns
    -------
    keras.Model
        Maps ``reflectance`` to ``glacier`` ``(N, H, W, 1)``, the mean of the nets' calibrated probabilities; with M > 1
        nets also to ``members`` ``(N, H, W, M)``, the probabilities that are averaged.
    """
    if len(nets) == 1:
        return _calibrated(nets[0], temperature, name="unet", output=OUTPUT)
    inputs = keras.Input(nets[0].input_shape[1:], dtype="float32", name="reflectance")
    parts = [
        _calibrated(net, temperature, name=f"member{number}", output=OUTPUT)(inputs)
        for number, net in enumerate(nets, start=1)
    ]
    mean = keras.layers.Average(dtype="float32", name=OUTPUT)(parts)
    return keras.Model(inputs, [mean, keras.layers.Concatenate(dtype="float32", name=MEMBERS_OUTPUT)(parts)])


def _calibrated(net: keras.Model, temperature: float, *, name: str, output: str) -> keras.Model:
    logit = Temperature(temperature=temperature, dtype="float32", name="temperature")(net.get_layer("logit").output)
    probability = keras.layers.Activation("sigmoid", dtype="float32", name=output)(logit)
    return keras.Model(net.inputs[0], probability, name=name)
