"""What an ONNX file may hold, told before anything runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages.common.errors import ContractError
from stages.common.run.onnx_file import check_onnx
from tests.hostile import models


def test_a_model_as_train_exports_it_is_accepted(tmp_path: Path) -> None:
    check_onnx(models.model(tmp_path / "model.onnx"))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (models.external("/etc/hostname"), "weights in another file"),
        (models.endless_loop, "the operator Loop"),
        (models.foreign_domain, "com.microsoft.Sigmoid"),
        (models.giant_claim, r"a tensor of \[100000, 100000\]"),
        (models.function, "functions"),
        (models.many_nodes, "20007 operations"),
    ],
)
def test_what_does_more_than_to_map_pixels_is_refused(
    change: Callable[[Any], None], found: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=found):
        check_onnx(models.model(tmp_path / "model.onnx", change=change))


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = models.model(tmp_path / "model.onnx")
    content = path.read_bytes()
    graph_ends = content.rindex(b"glacier")  # later there is metadata only, which is checked where it is read
    for size in range(0, graph_ends, 7):
        path.write_bytes(content[:size])
        with pytest.raises(ContractError, match="can be used"):
            check_onnx(path)
