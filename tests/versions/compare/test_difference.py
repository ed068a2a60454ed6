"""Recorded figures of two products are not subtracted, and the comparison says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.common.errors import InputError
from stages.common.tables.area import AreaMetrics, AreaRow
from stages.common.tables.truth import TruthMetrics
from versions.compare.difference import (
    NOT_SUBTRACTED,
    OF_AREAS,
    check_same_product,
    is_of_areas,
    metric_differences,
    mixed_products,
)
from versions.compare.version import Version, from_workspace, recorded_product

METRICS = {
    "first_area_km2": 60.0, "area_by_year_km2": {"2020": 60.0}, "slope_km2_per_year": -0.2, "gates_failed": 0,
    "truth": {"iou": 0.9, "image_iou": 0.8},
}  # fmt: skip


def version(folder: Path, *, product: str | None = None, params: str = "{}") -> Version:
    """A workspace with metrics, read as `make compare` reads it."""
    (folder / "artifacts/train").mkdir(parents=True)
    (folder / "metrics").mkdir()
    (folder / "artifacts/train/model.onnx").write_bytes(b"a model")
    (folder / "params.yaml").write_text(params)
    (folder / "metrics/area.json").write_text(json.dumps(METRICS | ({"product": product} if product else {})))
    return from_workspace(folder)


def differences(a: Version, b: Version) -> dict[str, float | None]:
    return {row.name: row.difference for row in metric_differences(a, b)}


def test_areas_of_two_products_are_not_subtracted(tmp_path: Path) -> None:
    a, b = version(tmp_path / "a", product="outlines"), version(tmp_path / "b", product="image")
    assert differences(a, b) == {
        "area/first_area_km2": None, "area/area_by_year_km2/2020": None, "area/truth/iou": None,
        "area/slope_km2_per_year": 0.0, "area/gates_failed": 0.0, "area/truth/image_iou": 0.0,
    }  # fmt: skip
    assert set(differences(a, a).values()) == {0.0}


@pytest.mark.parametrize(
    ("params", "product"),
    [
        pytest.param("area: {outlines: image}", "image", id="named in its parameters"),
        pytest.param("area: {outlines: fused}", "outlines", id="the other"),
        pytest.param("{}", None, id="named nowhere: what it was by default has changed"),
    ],
)
def test_an_old_version_has_the_product_that_its_parameters_name(
    tmp_path: Path, params: str, product: str | None
) -> None:
    old = version(tmp_path / "old", params=params)
    assert old.area_product == product
    new = version(tmp_path / "new", product="outlines")
    assert differences(old, new)["area/first_area_km2"] == (0.0 if product == "outlines" else None)


def test_what_is_stated_counts_before_the_parameter() -> None:
    assert recorded_product({"area": {"product": "image"}}, "fused") == "image"


def test_the_sentence_names_both_sides() -> None:
    assert mixed_products("image", "image") == mixed_products(None, None) == ""
    assert mixed_products("outlines", "image") == f"A: outlines product, B: images alone; {NOT_SUBTRACTED}"
    assert mixed_products(None, "image") == f"A: product not stated, B: images alone; {NOT_SUBTRACTED}"


def test_areas_measured_for_a_comparison_are_of_one_product() -> None:
    row = AreaRow(
        year=2020, glacier_area_km2=1, area_low_km2=1, area_high_km2=1, valid_fraction=1, unseen_km2=0, scene_ids="",
        model_md5="",
    )  # fmt: skip
    check_same_product([row], [row])
    with pytest.raises(InputError, match=r"areas of 2020(.|\n)*A: images alone, B: outlines product"):
        check_same_product([row], [row.model_copy(update={"product": "outlines"})])


def test_every_metric_that_has_the_product_is_one_of_area() -> None:
    fields = {f"area/{name}" for name in AreaMetrics.model_fields}
    fields |= {f"area/truth/{name}" for name in TruthMetrics.model_fields}
    assert set(OF_AREAS) <= fields
    areas = {name for name in fields if name.endswith("area_km2") or "/mean_" in name}
    assert areas - {"area/change_km2"} == {name for name in areas if is_of_areas(name)}
