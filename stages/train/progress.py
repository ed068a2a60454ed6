"""Progress of a training: a bar on a terminal, elsewhere a line from time to time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import keras
from tqdm import tqdm

LINE_EVERY_S = 10.0
"""Least seconds between two lines of a log."""


class Progress(keras.callbacks.Callback):
    """Show the steps of all epochs, the epoch's loss and IoU, the best validation IoU so far and the time left."""

    def __init__(
        self, name: str, *, epochs: int, steps_per_epoch: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self.name = name
        self.total = epochs * steps_per_epoch
        self.best = 0.0
        self.bar: Any = None
        self.clock = clock
        self.steps, self.start, self.shown = 0, 0.0, 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the bar."""
        self.bar = tqdm(total=self.total, desc=self.name, unit="step", disable=None, mininterval=1)
        self.start = self.shown = self.clock()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Advance by a step."""
        self.steps += 1
        self.bar.update(1)
        if not logs:
            return
        scores = f"loss {logs['loss']:.3f} IoU {logs['iou']:.3f} best validation IoU {self.best:.3f}"
        self.bar.set_postfix_str(scores, refresh=False)
        now = self.clock()
        if self.bar.disable and now - self.shown >= LINE_EVERY_S:
            self.shown = now
            left_s = (now - self.start) / self.steps * (self.total - self.steps)
            logging.getLogger(self.name).info(
                "step %d of %d, %s, %d:%02d left", self.steps, self.total, scores, left_s // 60, left_s % 60
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the validation IoU."""
        self.best = max(self.best, float((logs or {}).get("val_iou", 0.0)))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the bar."""
        self.bar.close()
