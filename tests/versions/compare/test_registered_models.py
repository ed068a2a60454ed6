"""Two registered models, whose maps are known, compared on the scenes of the site."""

from __future__ import annotations

import pytest

from stages.common.errors import InputError
from tests.versions.conftest import Site
from tests.versions.models import DIM, GOOD
from versions.compare.compare import compare_versions


def test_a_model_that_misses_half_of_the_ice_has_the_smaller_area(site: Site) -> None:
    for model in (GOOD, DIM):
        site.register(model)
    comparison, folder = compare_versions(site.folder, "1", "v2")
    assert comparison.b.kind == "registered model glacier-tiny version 2"
    assert comparison.a.maps == "1 maps made now; areas measured now"
    (year,) = comparison.areas
    assert year.only_a_km2 > 0.25 * (year.only_a_km2 + year.both_km2)
    assert year.b_km2 < year.a_km2, "the old outline gives back most of what the image lacks, not all"
    assert year.only_b_km2 == pytest.approx(0, abs=0.05)
    assert {block.b_false_km2 for block in comparison.blocks} == {0}
    assert (folder / "compare.html").read_text().startswith("<!doctype html>")


def test_a_name_of_no_version_is_refused_and_the_registered_ones_are_listed(site: Site) -> None:
    site.register(GOOD)
    with pytest.raises(InputError, match="there is no such version") as caught:
        compare_versions(site.folder, "v7", "workspace")
    assert "v1" in caught.value.found
