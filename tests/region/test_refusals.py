"""What a region's user can get wrong: one clear error each, before any cell is mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import pytest
import yaml

from region.run import main, run
from sandbox import mountains
from stages.common.errors import GlacierError, InputError, ParamsError


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


def test_the_plan_is_printed_and_written(regions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(regions, "range") == 0
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
        pytest.param({"region": {"cell_km": 0}}, "region.cell_km", id="no cell"),
        pytest.param({"prepare": {"bands": []}}, "prepare.bands", id="a site's key"),
        pytest.param({"ingest": {"source": "twin"}}, "cannot be cut into cells", id="twin"),
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
        run(regions, "range")
    assert words in str(caught.value)
    assert caught.value.exit_code == 2
    assert not (regions / "range/results").exists()


def test_outlines_without_crs(regions: Path) -> None:
    path = regions / "range/source/outlines.gpkg"
    frame = geopandas.read_file(path)
    path.unlink()
    bare = path.with_suffix(".shp")
    frame.to_file(bare)
    bare.with_suffix(".prj").unlink()
    change(regions, ingest={"outlines": {"path": "source/outlines.shp"}})
    with pytest.raises(InputError, match="no CRS"):
        run(regions, "range")


@pytest.mark.parametrize("name", ["nowhere", "../range", ""])
def test_a_region_that_is_not_there(regions: Path, name: str) -> None:
    with pytest.raises(ParamsError):
        run(regions, name)


def test_results_of_another_region(regions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(regions, "range")
    change(regions, site={"name": "other"})
    monkeypatch.chdir(regions.parent)
    with pytest.raises(InputError, match="the results are of another region"):
        run(regions, "range")
    assert main(["range"]) == 2
