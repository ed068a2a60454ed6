"""Reading patches: pooled statistics, and a planted leak that is caught before anything is learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.common.tables.learning import PatchStats
from stages.train.data import pool_statistics
from stages.train.instruction_set import effective


def stats(values: np.ndarray, **changes: object) -> PatchStats:
    base = {
        "year": 2020, "bands": ["red"], "scale": 1.0, "offset": 0.0, "pixels": len(values),
        "mean": [float(values.mean())], "std": [float(values.std())], "training_patches": 1, "validation_patches": 1,
        "patches_without_glacier": 0, "glacier_fraction": 0.5, "buffer_px": 32,
    }  # fmt: skip
    return PatchStats.model_validate(base | changes)


def test_pooled_statistics_are_those_of_all_pixels() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(100, 10, 3000), rng.normal(150, 30, 500)
    mean, std = pool_statistics([stats(one), stats(other)])
    both = np.concatenate([one, other])
    assert mean == pytest.approx([both.mean()], abs=1e-4)
    assert std == pytest.approx([both.std()], abs=1e-4)


@pytest.mark.parametrize(
    ("flags", "limit", "expected"),
    [
        pytest.param("avx avx2 avx512bw avx512_vnni avx512_bf16", "native", "AVX512_CORE_BF16", id="native"),
        pytest.param("avx avx2 avx512bw avx512_vnni avx512_bf16", "AVX2", "AVX2", id="bounded"),
        pytest.param("avx avx2", "AVX512_CORE", "AVX2", id="the CPU is the bound"),
        pytest.param("", "native", "unknown", id="another kind of CPU"),
    ],
)
def test_instruction_set(tmp_path: Path, flags: str, limit: str, expected: str) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    assert effective(limit, cpuinfo=tmp_path / "cpuinfo") == expected


def test_no_cpuinfo_is_unknown(tmp_path: Path) -> None:
    assert effective("native", cpuinfo=tmp_path / "none") == "unknown"
