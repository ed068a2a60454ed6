"""Progress of a training: a bar on a terminal, elsewhere a line from time to time."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Any

import keras
from tqdm import tqdm

LINE_EVERY_S = 10.0
"""Least seconds between two lines of a log."""


class Progress(keras.callbacks.Callback):
    """Show the steps of all epochs, the epoch's loss and IoU, the least validation loss so far and the time left."""

    def __init__(
        self, name: str, *, epochs: int, steps_per_epoch: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self.name = name
        self.total = epochs * steps_per_epoch
        self.least = math.inf
        self.bar: Any = None
        self.clock = clock
        self.steps, self.first, self.shown = 0, 0.0, 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the bar."""
        self.bar = tqdm(total=self.total, desc=self.name, unit="step", disable=None, mininterval=1)
        self.shown = self.clock()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Advance by a step."""
        self.steps += 1
        self.bar.update(1)
        if not logs:
            return
        scores = f"loss {logs['loss']:.3f} IoU {logs['iou']:.3f}"
        if self.least < math.inf:
            scores += f" least validation loss {self.least:.3f}"
        self.bar.set_postfix_str(scores, refresh=False)
        now = self.clock()
        if self.steps == 1:
            self.first = now
        if self.bar.disable and now - self.shown >= LINE_EVERY_S:
            self.shown = now
            logging.getLogger(self.name).info(
                "step %d of %d, %s, %s", self.steps, self.total, scores, self._time_left(now)
            )

    def _time_left(self, now: float) -> str:
        """Say the time left, by the steps after the first, which builds the graph and takes a hundred times as long."""
        if self.steps == 1:
            return "the time left is not known yet"
        left_s = (now - self.first) / (self.steps - 1) * (self.total - self.steps)
        return f"{left_s // 60:.0f}:{left_s % 60:02.0f} left"

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the validation loss, by which the epoch is chosen whose weights are kept."""
        self.least = min(self.least, float((logs or {}).get("val_loss", math.inf)))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the bar."""
        self.bar.close()
