"""The progress of a training where there is no terminal."""

from __future__ import annotations

import logging
import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of third parties, while they load
    from stages.train.progress import LINE_EVERY_S, Progress


def test_a_log_gets_a_line_at_most_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    """Two epochs of 50 steps of one second each."""
    seconds = iter(range(1000))
    progress = Progress("train", epochs=2, steps_per_epoch=50, clock=lambda: float(next(seconds)))
    progress.on_train_begin()
    progress.bar.disable = True  # as where there is no terminal
    with caplog.at_level(logging.INFO):
        for epoch in range(2):
            for batch in range(50):
                progress.on_train_batch_end(batch, {"loss": 0.5, "iou": 0.25})
            progress.on_epoch_end(epoch, {"val_loss": (0.75, 1.25)[epoch]})
    progress.on_train_end()
    assert LINE_EVERY_S == 10 and len(caplog.messages) == 10
    assert caplog.messages[0] == "step 10 of 100, loss 0.500 IoU 0.250, 1:30 left"
    assert caplog.messages[-1] == "step 100 of 100, loss 0.500 IoU 0.250 least validation loss 0.750, 0:00 left"


def test_the_first_step_does_not_foretell_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """It builds the graph: 80 s, where the others take one."""
    seconds = iter([0, 80, *range(81, 200)])
    progress = Progress("train", epochs=1, steps_per_epoch=50, clock=lambda: float(next(seconds)))
    progress.on_train_begin()
    progress.bar.disable = True
    with caplog.at_level(logging.INFO):
        for batch in range(11):
            progress.on_train_batch_end(batch, {"loss": 0.5, "iou": 0.25})
    progress.on_train_end()
    assert [message.rpartition(", ")[2] for message in caplog.messages] == [
        "the time left is not known yet",
        "0:39 left",
    ]
