"""Random fields and filters, and that their bytes do not depend on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.ingest.sources.twin.fields import blur, fractal, interpolate, kernel, ramp
from tests.ingest.sources.twin.conftest import PIXEL_M, SHAPE

VECTOR_UNITS = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"
"""All of numpy's own code for particular CPUs, switched off: exp and log then differ in the last bit."""

DIGEST = f"""
import hashlib, numpy as np
from stages.common.params.ingest import TwinParams
from stages.ingest.sources.twin.landscape import make_landscape
from tests.ingest.sources.twin.conftest import candidates
print(hashlib.sha256(np.exp(np.random.default_rng(0).standard_normal(10000)).tobytes()).hexdigest())
digest = hashlib.sha256()
for overpass in candidates(make_landscape(7, {SHAPE}, {PIXEL_M}), TwinParams(cloudy_years=[2021]), 2021):
    for layer in overpass.layers():
        digest.update(layer.pixels.tobytes())
print(digest.hexdigest())
"""


def digests(**environment: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DIGEST],
        capture_output=True, text=True, check=True, env=os.environ | environment,
    )  # fmt: skip
    return result.stdout.split()


def test_the_data_are_the_same_on_a_cpu_whose_exponentials_differ() -> None:
    exp, scenes = digests()
    other_exp, other_scenes = digests(
        NPY_DISABLE_CPU_FEATURES=VECTOR_UNITS, GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA"
    )
    if exp == other_exp:
        pytest.skip("this CPU has no vector unit whose exponentials differ")
    assert scenes == other_scenes


def test_a_fractal_is_standardised_and_rougher_where_it_should_be() -> None:
    rough, smooth = (
        fractal(np.random.default_rng(1), (128, 160), pixel_m=10, longest_m=500, roughness=kind) for kind in (0, 2)
    )
    for field in (rough, smooth):
        assert field.shape == (128, 160)
        assert abs(field.mean()) < 0.2
        assert field.std() == pytest.approx(1, abs=0.2)
    assert np.diff(rough, axis=0).std() > 2 * np.diff(smooth, axis=0).std()


@given(sigma=st.floats(0.55, 4), shift=st.floats(-0.5, 0.5))
def test_a_kernel_sums_to_one_and_moves_by_its_shift(sigma: float, shift: float) -> None:
    weights = kernel(sigma, shift)
    assert weights.sum() == pytest.approx(1)
    line = np.arange(101.0)
    moved = blur(line[:, None] * np.ones((1, 3)), sigma, (shift, 0.0))[50, 1]
    assert moved == pytest.approx(50 - shift, abs=0.06)


def test_a_spline_goes_through_its_nodes() -> None:
    nodes = np.random.default_rng(2).standard_normal((6, 8))
    fine = interpolate(nodes, (51, 71))
    np.testing.assert_allclose(fine[::10, ::10], nodes, atol=1e-5)


def test_a_ramp_is_flat_outside_and_half_in_the_middle() -> None:
    np.testing.assert_allclose(ramp(np.array([-1.0, 0.0, 0.5, 1.0, 9.0]), 0.0, 1.0), [0, 0, 0.5, 1, 1])
