"""What a region's user can get wrong: one clear error each, before any cell is mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import pytest
import yaml

from region.inventory import load_inventory
from region.jobs import make_jobs
from region.params import load_region
from region.plan import cut_into_cells
from region.results import results_of
from region.run import by_reason, main, run
from sandbox import mountains
from stages.common.errors import ContractError, GlacierError, InputError, ParamsError


@pytest.fixture
def regions(tmp_path: Path) -> Path:
    mountains.make_region(tmp_path / "regions")
    return tmp_path / "regions"


def change(regions: Path, **sections: Any) -> None:
    path = regions / "range/params.yaml"
    content = yaml.safe_load(path.read_text())
    for name, values in sections.items():
        content[name] = content.get(name, {}) | values
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def jobs_of(regions: Path) -> dict[str, str]:
    """Key of each cell."""
    region = load_region(regions / "range")
    features, glaciers = load_inventory(region)
    cells = cut_into_cells(glaciers, cell_m=6000, margin_m=600, grid=region.checked.grid)
    return {job.cell: job.key for job in make_jobs(region, features, cells, results_of(region))}


def test_the_plan_is_printed_and_written(regions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(regions, "range", dry=True) == 0
    shown = capsys.readouterr().out
    assert "cells       6" in shown
    assert "glaciers    13" in shown
    plan = geopandas.read_parquet(regions / "range/results/plan.parquet")
    assert sorted(name for names in plan["glaciers"] for name in names) == [
        f"RGI60-15.{number:05d}" for number in range(1, 14)
    ]
    assert plan.crs == "EPSG:4326"


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        pytest.param({"grid": {"crs": "EPSG:32644"}}, "a region has no CRS of its own", id="CRS"),
        pytest.param({"region": {"cells_km": 20}}, "region.cells_km: Extra inputs", id="misspelt"),
        pytest.param({"region": {"scheduler": "127.0.0.1:8786"}}, "region.scheduler", id="address"),
        pytest.param({"prepare": {"bands": []}}, "prepare.bands", id="a site's key"),
        pytest.param({"ingest": {"source": "twin"}}, "cannot be cut into cells", id="twin"),
        pytest.param({"site": {"simulated": True}}, "does not agree with the source", id="simulated"),
        pytest.param({"ingest": {"outlines": None}}, "the region has no outlines", id="no outlines"),
        pytest.param(
            {"ingest": {"aoi": {"bounds": [10.0, 40.0, 11.0, 41.0]}}}, "no glacier lies in the region", id="no glacier"
        ),
        pytest.param({"ingest": {"outlines": {"path": "source/none.gpkg"}}}, "vector file", id="absent outlines"),
    ],
)
def test_bad_parameters(regions: Path, sections: dict[str, Any], words: str) -> None:
    change(regions, **sections)
    with pytest.raises(GlacierError) as caught:
        run(regions, "range", dry=True)
    assert words in str(caught.value)
    assert caught.value.exit_code == 2
    assert not (regions / "range/results/cells").exists()


def test_outlines_without_crs(regions: Path) -> None:
    path = regions / "range/source/outlines.gpkg"
    frame = geopandas.read_file(path)
    path.unlink()
    bare = path.with_suffix(".shp")
    frame.to_file(bare)
    bare.with_suffix(".prj").unlink()
    change(regions, ingest={"outlines": {"path": "source/outlines.shp"}})
    with pytest.raises(InputError, match="no CRS"):
        run(regions, "range", dry=True)


@pytest.mark.parametrize("name", ["nowhere", "../range", ""])
def test_a_region_that_is_not_there(regions: Path, name: str) -> None:
    with pytest.raises(ParamsError):
        run(regions, name, dry=True)


def test_results_of_another_region(regions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(regions, "range", dry=True)
    change(regions, site={"name": "other"})
    monkeypatch.chdir(regions.parent)
    with pytest.raises(InputError, match="the results are of another region"):
        run(regions, "range", dry=True)
    assert main(["range", "--dry"]) == 2


@pytest.mark.parametrize("place", ["source/model.onnx", "source/model.onnx/results"])
def test_a_file_where_the_results_are_to_stand(regions: Path, place: str) -> None:
    change(regions, region={"results": place})
    with pytest.raises(InputError, match="where a file is"):
        run(regions, "range", dry=True)


def test_a_model_that_is_absent(regions: Path) -> None:
    change(regions, region={"model": "source/none.onnx"})
    with pytest.raises(InputError, match="the model is absent"):
        jobs_of(regions)


def test_a_model_of_other_bands(regions: Path) -> None:
    change(regions, prepare={"bands": ["green", "red", "blue"]})
    with pytest.raises(ContractError, match="the scene's bands are not the model's"):
        jobs_of(regions)


def test_a_model_without_the_precision_is_refused_once_and_not_by_every_cell(regions: Path) -> None:
    change(regions, predict={"precision": "int8"})
    with pytest.raises(ContractError, match="holds no int8 graph"):
        jobs_of(regions)


def test_cells_that_fail_in_the_same_way_are_named_together() -> None:
    assert by_reason({"a": "no scene", "b": "no year", "c": "no scene"}) == {"no scene": ["a", "c"], "no year": ["b"]}


def test_a_cell_is_named_by_what_it_is_made_of(regions: Path) -> None:
    first = jobs_of(regions)
    assert jobs_of(regions) == first
    change(regions, area={"boundary_buffer_px": 2.0})
    other = jobs_of(regions)
    assert not set(first.values()) & set(other.values())
    change(regions, area={"boundary_buffer_px": 1.0})
    scene = regions / "range/source/2020.tif"
    scene.write_bytes(scene.read_bytes() + b"\0")
    assert not set(first.values()) & set(jobs_of(regions).values())


def test_the_name_of_a_cell_does_not_follow_from_the_place(regions: Path, tmp_path: Path) -> None:
    first = jobs_of(regions)
    (tmp_path / "elsewhere").mkdir()
    regions.rename(tmp_path / "elsewhere/regions")
    assert jobs_of(tmp_path / "elsewhere/regions") == first


def test_an_outline_concerns_the_cells_near_it_alone(regions: Path) -> None:
    first = jobs_of(regions)
    path = regions / "range/source/outlines.gpkg"
    frame = geopandas.read_file(path)
    frame.loc[0, "Name"] = "Renamed"
    path.unlink()
    frame.to_file(path)
    changed = {name for name, key in jobs_of(regions).items() if key != first[name]}
    assert 1 <= len(changed) < len(first)
