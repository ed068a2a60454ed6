"""A planted leak is caught, pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.common.errors import ContractError
from stages.common.model.split import BUFFER, CALIBRATION, TEST, TRAIN, VALIDATION, check_no_leak, crop

SIZE = 8


def clean(row: int, column: int) -> dict[str, np.ndarray]:
    """One patch that sees nothing."""
    return {
        "image": np.zeros((1, SIZE, SIZE, 3), dtype=np.uint8),
        "label": np.full((1, SIZE, SIZE), 255, dtype=np.uint8),
        "visible": np.zeros((1, SIZE, SIZE), dtype=np.uint8),
        "row": np.array([row], dtype=np.int32),
        "column": np.array([column], dtype=np.int32),
    }


@pytest.fixture
def roles() -> np.ndarray:
    roles = np.full((32, 32), TRAIN, dtype=np.uint8)
    roles[:, 16:] = TEST
    roles[:16, 16:24] = VALIDATION
    roles[:16, 24:] = CALIBRATION
    roles[:, 14:16] = BUFFER
    return roles


def test_clean_patches_pass(roles: np.ndarray) -> None:
    patches = clean(0, 0)
    patches["visible"][:], patches["image"][:], patches["label"][:] = 1, 200, 1
    check_no_leak(patches, roles, use="train", where=Path("x"))


@pytest.mark.parametrize("what", ["imagery", "hidden imagery", "label"])
@pytest.mark.parametrize(
    ("use", "row", "column", "role"),
    [
        pytest.param("train", 20, 12, "test", id="train sees test"),
        pytest.param("train", 2, 12, "validation", id="train sees validation"),
        pytest.param("validation", 20, 12, "test", id="validation sees test"),
        pytest.param("calibration", 20, 12, "test", id="calibration sees test"),
        pytest.param("train", 2, 22, "calibration", id="train sees calibration"),
    ],
)
def test_one_leaked_pixel_is_caught(roles: np.ndarray, what: str, use: str, row: int, column: int, role: str) -> None:
    patches = clean(row, column)
    name = {"imagery": "visible", "hidden imagery": "image", "label": "label"}[what]
    patches[name][0, 3, 5] = 1
    with pytest.raises(ContractError) as caught:
        check_no_leak(patches, roles, use=use, where=Path("artifacts/patches/2020/train.npz"))
    assert f"1 pixels of role {role}" in str(caught.value)
    assert "train.npz" in str(caught.value)


def test_the_buffer_neither_shows_nor_teaches(roles: np.ndarray) -> None:
    patches = clean(0, 8)
    patches["visible"][0, 0, 6] = 1  # column 14
    with pytest.raises(ContractError, match="imagery"):
        check_no_leak(patches, roles, use="train", where=Path("x"))


@pytest.mark.parametrize(("use", "column"), [("validation", 22), ("calibration", 12)])
def test_stopping_and_calibrating_share_imagery_but_no_label(roles: np.ndarray, use: str, column: int) -> None:
    patches = clean(2, column)
    patches["visible"][0, 3, 5], patches["image"][0, 3, 5] = 1, 200
    check_no_leak(patches, roles, use=use, where=Path("x"))
    patches["label"][0, 3, 5] = 1
    with pytest.raises(ContractError, match="shows a label of held-out pixels"):
        check_no_leak(patches, roles, use=use, where=Path("x"))


def test_crop_fills_beyond_the_edges() -> None:
    plane = np.arange(12, dtype=np.uint8).reshape(3, 4)
    window = crop(plane, -1, 2, 4, fill=99)
    assert window.tolist() == [[99, 99, 99, 99], [2, 3, 99, 99], [6, 7, 99, 99], [10, 11, 99, 99]]
    assert (crop(plane, 10, 10, 2, fill=7) == 7).all()
