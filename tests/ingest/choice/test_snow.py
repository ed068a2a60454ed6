"""How much snow lies on the ground around the outlines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stages.ingest.choice.snow import SnowCover, snow_around_outlines
from stages.ingest.choice.visibility import ScreenedTile, tile_visibility
from stages.ingest.sources.acquisition import Acquisition
from tests.ingest.candidates import SITE, candidate, scl


def snow_of(acquisition: Acquisition) -> SnowCover:
    tile = ScreenedTile(acquisition=acquisition, visibility=tile_visibility(acquisition, SITE))
    return snow_around_outlines([tile], SITE)


def test_snow_is_measured_in_reflectance_whatever_the_offset() -> None:
    expected = SITE.around[:80].sum() / SITE.around.sum()
    for baseline, dn_offset in (("05.00", 1000), ("03.01", 0)):
        scene = candidate("2020-10-01", snow_rows=80, processing_baseline=baseline, dn_offset=dn_offset)
        assert snow_of(scene).fraction == pytest.approx(expected)


def test_where_bands_are_missing_snow_is_class_11() -> None:
    classes = scl()
    classes[:80] = 11
    scene = candidate("2020-10-01", classes)
    bare = replace(scene, layer=lambda name: scene.layer(name) if name == "scl" else None)  # type: ignore[misc]
    assert snow_of(bare).fraction == pytest.approx(SITE.around[:80].sum() / SITE.around.sum())


def test_a_source_without_single_layers_is_walked() -> None:
    plain = replace(candidate("2020-10-01", snow_rows=80), layer=None)
    whole = candidate("2020-10-01", snow_rows=80)
    assert snow_of(plain) == snow_of(whole)
