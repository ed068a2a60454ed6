"""Names that are spelt alike."""

from __future__ import annotations

import pytest

from stages.common.errors import did_you_mean


@pytest.mark.parametrize(
    ("word", "question"), [("predikt", ": did you mean predict?"), ("area", ": did you mean area?"), ("zzz", "")]
)
def test_the_nearest_name_is_asked_for(word: str, question: str) -> None:
    assert did_you_mean(word, ["train", "predict", "area"]) == question
