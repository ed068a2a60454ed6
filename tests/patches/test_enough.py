"""A split without ground to train on is refused with its numbers and the parameter that mends it."""

from __future__ import annotations

import numpy as np
import pytest

from stages.common.errors import ContractError
from stages.common.model.split import TRAIN
from stages.common.params.learning import PatchesParams
from stages.patches.enough import require_patches
from stages.patches.roles import pixel_roles

IDS = np.zeros((148, 155), dtype=np.uint16)
IDS[40:80, 30:100] = 1
DEFAULT_BUFFER = PatchesParams(size_px=64, block_rows_px=30, block_columns_px=31)


def test_the_buffer_that_hides_all_ground_is_named_with_one_that_does_not() -> None:
    """148 x 155 px: around held-out blocks of 30 px the default buffer of 32 px hides every other one."""
    everywhere = np.ones(IDS.shape, dtype=bool)
    roles = pixel_roles(IDS, everywhere, DEFAULT_BUFFER)
    assert (roles == TRAIN).mean() < 0.01
    with pytest.raises(ContractError, match="leaves no train patch") as caught:
        require_patches(0, "train", roles, DEFAULT_BUFFER)
    assert caught.value.found.endswith("of 155 x 148 px; blocks of 30 x 31 px, buffer_px 32")
    assert caught.value.fix == "patches.buffer_px: 7, a quarter of a block"
    mended = pixel_roles(IDS, everywhere, DEFAULT_BUFFER.model_copy(update={"buffer_px": 7}))
    assert (mended == TRAIN).mean() > 0.2


def test_where_the_buffer_is_not_at_fault_the_blocks_are_named() -> None:
    params = DEFAULT_BUFFER.model_copy(update={"buffer_px": 4})
    with pytest.raises(ContractError) as caught:
        require_patches(0, "validation", np.zeros((20, 30), dtype=np.uint8), params)
    assert "0 px for validation" in caught.value.found
    assert "block_rows_px" in caught.value.fix


def test_one_patch_is_enough() -> None:
    require_patches(1, "train", np.zeros((20, 30), dtype=np.uint8), DEFAULT_BUFFER)
