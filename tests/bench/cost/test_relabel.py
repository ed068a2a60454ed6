"""Other labels come only where a site's labels say nothing, also in patches that reach beyond the site."""

from __future__ import annotations

import numpy as np
import pytest

from bench.cost.relabel import fill


@pytest.mark.parametrize("corner", [(0, 0), (-2, -1), (3, 4)])
def test_labels_of_a_site_fill_what_a_patch_leaves_out(corner: tuple[int, int]) -> None:
    site = np.arange(48, dtype=np.uint8).reshape(6, 8)
    patch = np.full((5, 5), 255, dtype=np.uint8)
    patch[2, 2] = 1
    fill(patch, site, corner)
    rows, columns = np.indices(patch.shape)
    rows, columns = rows + corner[0], columns + corner[1]
    inside = (rows >= 0) & (rows < 6) & (columns >= 0) & (columns < 8)
    expected = np.full(patch.shape, 255)
    expected[inside] = site[rows[inside], columns[inside]]
    expected[2, 2] = 1
    np.testing.assert_array_equal(patch, expected)
