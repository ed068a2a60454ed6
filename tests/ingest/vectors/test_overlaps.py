"""How much of an outline lies under others."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
from shapely.geometry import Polygon, box

from stages.ingest.vectors.overlaps import covered_shares

BIG = box(0, 0, 10, 10)


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        pytest.param([BIG, BIG], [1, 0], id="one outline twice"),
        pytest.param([BIG, box(10, 0, 20, 10)], [0, 0], id="adjoining"),
        pytest.param([BIG, box(8, 0, 12, 10)], [0.2, 0], id="the smaller one wins"),
        pytest.param([box(0, 0, 4, 10), box(4, 0, 10, 10), BIG], [0, 0, 1], id="two over one"),
        pytest.param([BIG, box(1, 1, 2, 2), box(1, 1, 2, 3)], [0.02, 0, 0.5], id="nested"),
        pytest.param([Polygon(BIG.exterior, [box(1, 1, 2, 2).exterior]), box(1, 1, 2, 2)], [0, 0], id="in a hole"),
    ],
)
def test_shares(shapes: list[Polygon], expected: list[float]) -> None:
    shares, _ = covered_shares(np.array(shapes, dtype=object))
    assert shares.tolist() == pytest.approx(expected)


@pytest.mark.samples
def test_real_inventories_hardly_overlap(samples: Path) -> None:
    outlines = geopandas.read_file(samples / "everest-landsat7/15_rgi60_glacier_outlines.gpkg")
    shares, _ = covered_shares(np.asarray(outlines.geometry))
    assert shares.max() < 0.01
