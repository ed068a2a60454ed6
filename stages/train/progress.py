"""Progress of a training: one bar with loss, IoU and the time left."""

from __future__ import annotations

from typing import Any

import keras
from tqdm import tqdm


class Progress(keras.callbacks.Callback):
    """Bar over all steps of all epochs; shows the epoch's loss and IoU and the best validation IoU so far."""

    def __init__(self, name: str, *, epochs: int, steps_per_epoch: int) -> None:
        super().__init__()
        self.name = name
        self.total = epochs * steps_per_epoch
        self.best = 0.0
        self.bar: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the bar."""
        self.bar = tqdm(total=self.total, desc=self.name, unit="step", disable=None, mininterval=1)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Advance by a step."""
        self.bar.update(1)
        if logs:
            self.bar.set_postfix_str(
                f"loss {logs['loss']:.3f} IoU {logs['iou']:.3f} best validation IoU {self.best:.3f}", refresh=False
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the validation IoU."""
        self.best = max(self.best, float((logs or {}).get("val_iou", 0.0)))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the bar."""
        self.bar.close()
