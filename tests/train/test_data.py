"""Reading patches: statistics pooled over the years."""

from __future__ import annotations

import numpy as np
import pytest

from stages.common.tables.learning import PatchStats
from stages.train.data import pool_statistics


def stats(values: np.ndarray, **changes: object) -> PatchStats:
    base = {
        "year": 2020, "bands": ["red"], "scale": 1.0, "offset": 0.0, "pixels": len(values),
        "mean": [float(values.mean())], "std": [float(values.std())], "training_patches": 1, "validation_patches": 1,
        "patches_without_glacier": 0, "glacier_fraction": 0.5, "buffer_px": 32,
    }  # fmt: skip
    return PatchStats.model_validate(base | changes)


def test_pooled_statistics_are_those_of_all_pixels() -> None:
    rng = np.random.default_rng(0)
    years = rng.normal(100, 10, 3000), rng.normal(150, 30, 500)
    mean, std = pool_statistics([stats(values) for values in years])
    both = np.concatenate(years)
    assert mean == pytest.approx([both.mean()], abs=1e-4)
    assert std == pytest.approx([both.std()], abs=1e-4)
