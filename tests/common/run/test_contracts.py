"""Contracts: what is not as declared is refused, with what was expected and found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pytest
from affine import Affine
from pydantic import BaseModel
from shapely.geometry import Point

from sandbox import tiny
from stages.common.errors import ContractError, GateError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.params.schema import load_params
from stages.common.run import stage
from stages.common.run.artefacts import Json, Raster, Table
from stages.common.run.contracts import Contract, check_inputs, check_outputs, paths_of
from stages.common.run.stage import Run
from stages.common.tables import kinds

GRID = Grid("EPSG:32644", Affine(30, 0, 350_000, 0, -30, 3_420_000), 20, 30)


class Row(BaseModel):
    year: int
    area_km2: float


MASK = Raster(summary="a mask", dtype="uint8", nodata=255.0, values=(0, 1, 255))
TABLE = Table(summary="a table", row=Row)


def raster(
    path: Path, *, dtype: str = "uint8", nodata: float | None = 255.0, value: int = 1, grid: Grid = GRID
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_cog(path, np.full(grid.shape, value, dtype=dtype), grid, nodata=nodata)
    return path


def test_a_raster_as_declared_passes(tmp_path: Path) -> None:
    MASK.check(raster(tmp_path / "mask.tif"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"dtype": "uint16", "nodata": 255}, "dtype", id="dtype"),
        pytest.param({"nodata": None}, "nodata", id="nodata"),
        pytest.param({"value": 7}, "values that its contract does not list", id="value"),
    ],
)
def test_a_raster_that_differs_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = raster(tmp_path / "mask.tif", **changes)  # type: ignore[arg-type]
    with pytest.raises(ContractError, match=message) as caught:
        MASK.check(path)
    assert "expected:" in str(caught.value) and "found:" in str(caught.value) and "mask.tif" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("year,area_km2\n2020,1.5\n", None, id="as declared"),
        pytest.param("year,area\n2020,1.5\n", "columns", id="another column"),
        pytest.param("year,area_km2\n2020,large\n", "a value breaks its contract", id="no number"),
        pytest.param("year,area_km2\n2020,\n", "a value breaks its contract", id="nothing"),
    ],
)
def test_a_table_is_validated_row_by_row(tmp_path: Path, content: str, message: str | None) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    if message is None:
        TABLE.check(path)
        return
    with pytest.raises(ContractError, match=message):
        TABLE.check(path)


def test_json_is_parsed_and_validated(tmp_path: Path) -> None:
    path, kind = tmp_path / "a.json", Json(summary="one row", model=Row)
    path.write_text('{"year": 2020, "area_km2": 1.0}')
    kind.check(path)
    for broken in ('{"year": 2020', '{"year": 2020}'):
        path.write_text(broken)
        with pytest.raises(ContractError):
            kind.check(path)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        pytest.param(geopandas.GeoDataFrame(geometry=[Point(0, 0)], crs="EPSG:4326"), "other geometries", id="points"),
        pytest.param(geopandas.GeoDataFrame(geometry=[], crs="EPSG:4326"), "is empty", id="empty"),
    ],
)
def test_an_aoi_that_is_none_is_refused(tmp_path: Path, frame: geopandas.GeoDataFrame, message: str) -> None:
    frame.to_file(tmp_path / "aoi.gpkg")
    with pytest.raises(ContractError, match=message):
        kinds.AOI.check(tmp_path / "aoi.gpkg")


def test_arrays_are_compared_by_name_dtype_and_dimensions(tmp_path: Path) -> None:
    good = {
        "image": np.zeros((2, 4, 4, 3), np.uint8), "label": np.zeros((2, 4, 4), np.uint8),
        "visible": np.zeros((2, 4, 4), np.uint8), "row": np.zeros(2, np.int32), "column": np.zeros(2, np.int32),
    }  # fmt: skip
    path = tmp_path / "train.npz"
    np.savez(path, **good)
    kinds.PATCHES.check(path)
    for change in ({"image": good["image"].astype(np.float64)}, {"row": np.zeros(3, np.int32)}, {"more": np.zeros(2)}):
        np.savez(path, **{**good, **change})
        with pytest.raises(ContractError):
            kinds.PATCHES.check(path)


CONTRACT = Contract(
    stage="predict",
    summary="a stage made up",
    per="year",
    inputs={"in/{year}/mask.tif": MASK, "in/other.tif": MASK},
    outputs={"out.json": Json(summary="a row", model=Row)},
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tiny.write_params(tmp_path, tiny.params(tmp_path, [2020, 2021]))
    raster(tmp_path / "in/2020/mask.tif")
    raster(tmp_path / "in/other.tif")
    return tmp_path


def work(run: Run) -> None:
    assert run.path("in/{year}/mask.tif") == Path("in/2020/mask.tif")
    (run.out / "out.json").write_text('{"year": 2020, "area_km2": 1.0}')


def main(entry: Callable[[Run], None], *arguments: str) -> int:
    return stage.main(CONTRACT, entry, arguments or ["--year", "2020"])


def test_a_stage_that_keeps_its_contract_gets_its_folder(site: Path) -> None:
    assert main(work) == 0
    assert json.loads((site / "artifacts/predict/2020/out.json").read_text())["year"] == 2020


def test_an_absent_input_is_exit_code_2(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    (site / "in/other.tif").unlink()
    with pytest.raises(ContractError, match="a file is absent"):
        check_inputs(CONTRACT, load_params(), 2020)
    assert main(work) == 2


def test_rasters_on_two_grids_are_refused(site: Path) -> None:
    shifted = Grid(GRID.crs, Affine(30, 0, 350_000, 0, -30, 3_420_001), 20, 30)
    raster(site / "in/other.tif", grid=shifted)
    with pytest.raises(ContractError, match="different grids") as caught:
        check_inputs(CONTRACT, load_params(), 2020)
    assert "3420001" in str(caught.value)


def test_an_undeclared_output_is_refused(site: Path) -> None:
    def more(run: Run) -> None:
        work(run)
        (run.out / "more.txt").write_text("x")

    assert main(more) == 2
    assert not (site / "artifacts/predict/2020").exists()


def test_a_missing_output_is_refused(site: Path) -> None:
    assert main(lambda run: None) == 2
    assert not (site / "artifacts/predict/2020").exists()


def test_an_undeclared_read_is_refused(site: Path) -> None:
    assert main(lambda run: run.path("data/aoi.gpkg") and None) == 2


def test_an_undeclared_year_is_refused(site: Path) -> None:
    assert main(work, "--year", "1999") == 2


def test_a_failed_gate_is_exit_code_1(site: Path) -> None:
    def fail(run: Run) -> None:
        raise GateError("the model calls everything ice")

    assert main(fail) == 1


def test_outputs_are_checked_before_the_rename(site: Path) -> None:
    (site / "draft").mkdir()
    (site / "draft/out.json").write_text('{"year": "x"}')
    with pytest.raises(ContractError):
        check_outputs(CONTRACT, site / "draft", load_params(), 2020)


def test_templates_stand_for_paths(site: Path) -> None:
    params = load_params()
    assert paths_of("a/{year}/b", params, 2021) == {None: Path("a/2021/b")}
    assert paths_of("a/{years}/b", params, None) == {2020: Path("a/2020/b"), 2021: Path("a/2021/b")}
    first = params.training_years[0]
    assert paths_of("a/{reference_year}/b", params, 2021) == {None: Path(f"a/{first}/b")}
    numbered = paths_of("a/{year}/{pass}/b", params, 2021)
    assert (numbered[1], numbered[20], len(numbered)) == (Path("a/2021/1/b"), Path("a/2021/20/b"), 20)
    assert paths_of("{model}", params, None) == {None: Path("artifacts/train/model.onnx")}
