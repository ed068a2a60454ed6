"""Bound how long an answer may take in all: a server that drips bytes keeps each single wait short."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def within(seconds: float, request: Callable[[], Answer]) -> Answer:
    """Return what `request` returns. It runs in a thread of its own, which is left behind where it takes longer.

    Raises
    ------
    TimeoutError
        There is no answer after that many seconds.
    """
    answers: queue.SimpleQueue[tuple[Answer | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put((request(), None))
        except BaseException as error:  # raised again where it is waited for
            answers.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no complete answer after {seconds:g} s") from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]
