"""Answers that take too long."""

from __future__ import annotations

import threading

import pytest

from stages.common.run.deadline import within


def test_an_answer_in_time_is_returned_and_an_error_is_raised_as_it_was() -> None:
    assert within(10, lambda: 7) == 7
    with pytest.raises(KeyError, match="gone"):
        within(10, lambda: {}["gone"])


def test_an_answer_that_never_comes_is_not_waited_for() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError, match="no complete answer"):
        within(0.01, never.wait)
    never.set()
