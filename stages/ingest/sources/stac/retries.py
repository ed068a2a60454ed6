"""Repeating requests to a server: how long to wait between two attempts, and when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from stages.common import settings

RETRY_STATUS = (429, 500, 502, 503, 504)
"""HTTP status of a server that is busy or has failed: a later request may succeed."""

RETRIES_MAX = 100
"""Most repetitions of one request, however many the environment asks for."""

WAIT_MAX_S, TOTAL_WAIT_MAX_S = 60.0, 300.0
"""Longest wait between two attempts, and all waits of one request together, in seconds."""

Answer = TypeVar("Answer")


class TransientError(Exception):
    """A request failed in a way that may pass: the next attempt may succeed."""


def retry_waits(retries: int, first_s: float) -> Iterator[float]:
    """Yield the seconds to wait before each repetition of a request.

    Each wait is twice the one before, at most `WAIT_MAX_S`; all together are at most `TOTAL_WAIT_MAX_S`.
    """
    wait_s, left_s = min(first_s, WAIT_MAX_S), TOTAL_WAIT_MAX_S
    for _ in range(retries):
        if wait_s > left_s:
            return
        yield wait_s
        left_s -= wait_s
        wait_s = min(2 * wait_s, WAIT_MAX_S)


def configured_waits() -> list[float]:
    """Return the waits, in seconds, that the environment variables ask for: one for each repetition.

    Raises
    ------
    SettingError
        A variable is not valid.
    """
    return list(retry_waits(min(settings.http_retries(), RETRIES_MAX), settings.http_retry_wait_s()))


def with_retries(request: Callable[[], Answer], failure: Callable[[str, int], Exception]) -> Answer:
    """Call `request` until it does not raise `TransientError`, and return its answer.

    Parameters
    ----------
    request
        Makes one attempt.
    failure
        Makes the error that is raised when no attempt is left, from the last reason and the number of attempts.

    Raises
    ------
    SettingError
        As `configured_waits`.
    """
    waits = configured_waits()
    for wait_s in [*waits, None]:
        try:
            return request()
        except TransientError as error:
            if wait_s is None:
                raise failure(str(error), len(waits) + 1) from None
            time.sleep(wait_s)
    raise AssertionError("the last attempt returns or raises")
