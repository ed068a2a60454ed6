"""Where an acquisition has data, and where it shows the surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stages.common.errors import InputError
from stages.common.scene.scene import CLOUD_MASK, Layer
from stages.ingest.choice.visibility import count_pixels, pack_mask, site_masks, tile_visibility, unpack_mask
from stages.ingest.sources.acquisition import Acquisition
from tests.ingest.candidates import CLOUD, GRID, SITE, candidate, outlines, region, scl

WEST, MIDDLE = np.s_[:, :30], np.s_[:, 30:60]


def masks(acquisition: Acquisition) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) each: covered and clear."""
    visibility = tile_visibility(acquisition, SITE)
    return unpack_mask(visibility.covered, GRID), unpack_mask(visibility.clear, GRID)


def without_scl(*layers: Layer) -> Acquisition:
    return replace(candidate("2020-10-01"), layer=None, layers=lambda: layers)


def band() -> Layer:
    """A band without data in the west."""
    pixels = np.full(GRID.shape, 1500, np.uint16)
    pixels[WEST] = 0
    return Layer(name="B03", pixels=pixels, grid=GRID, nodata=0)


def test_the_scene_classification_decides() -> None:
    classes = scl(no_data_columns=slice(0, 30), cloud_columns=slice(30, 60))
    covered, clear = masks(candidate("2020-10-01", classes))
    assert (covered == (classes != 0)).all()
    assert (clear == ((classes != 0) & (classes != CLOUD))).all()


def test_without_classes_the_cloud_mask_decides() -> None:
    cloud = np.zeros(GRID.shape, np.uint8)
    cloud[MIDDLE] = 1
    mask = Layer(name=CLOUD_MASK, pixels=cloud, grid=GRID, nodata=None)
    covered, clear = masks(without_scl(band(), mask))
    assert not covered[WEST].any()
    assert covered[:, 30:].all()
    assert (clear == (covered & (cloud == 0))).all()


def test_without_classes_and_mask_all_data_are_clear() -> None:
    covered, clear = masks(without_scl(band()))
    assert (covered == (band().pixels != 0)).all()
    assert (clear == covered).all()
    assert tile_visibility(without_scl(band()), SITE).snow_class is None


def test_what_lies_outside_the_aoi_is_not_covered() -> None:
    aoi = SITE.aoi.copy()
    aoi[:, 100:] = False
    visibility = tile_visibility(candidate("2020-10-01"), replace(SITE, aoi=aoi))
    assert (unpack_mask(visibility.covered, GRID) == aoi).all()


def test_outlines_that_cover_no_pixel_are_refused() -> None:
    small = outlines().to_crs(GRID.crs)
    small["geometry"] = small.geometry.centroid.buffer(0.01)
    with pytest.raises(InputError, match="cover no pixel"):
        site_masks(region(), small, snow_buffer_m=600)


@given(arrays(bool, GRID.shape, elements=st.booleans()))
def test_a_packed_mask_comes_back_and_is_counted(mask: np.ndarray) -> None:
    bits = pack_mask(mask)
    assert (unpack_mask(bits, GRID) == mask).all()
    assert count_pixels(bits) == mask.sum()
