"""Files that are cut short or damaged break their contract: exit code 2 and a message, before any work."""

from __future__ import annotations

import io
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
from stages.common.errors import ContractError, GlacierError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.geo.vectors import write_polygons
from stages.common.run.artefacts import Arrays, Artefact, Json, Raster, Table, Vector
from stages.common.run.outputs import write_arrays, write_table
from stages.common.run.stage import main
from stages.common.tables.base import NotNegative, Record
from stages.labels.contract import CONTRACT as LABELS
from stages.labels.label import label

GRID = Grid("EPSG:32644", Affine(30, 0, 350_000, 0, -30, 3_420_000), 700, 600)


class Row(BaseModel):
    year: int
    area_km2: float
    sigma_km2: float | None = None


class TrueArea(Record):
    year: int
    true_area_km2: NotNegative


def write_vector(path: Path) -> Artefact:
    circles = [Point(index, 0).buffer(0.4, 32) for index in range(200)]
    names = [f"G{index}" for index in range(200)]
    write_polygons(path, geopandas.GeoDataFrame({"rgi_id": names}, geometry=circles, crs="EPSG:4326"), layer="outlines")
    return Vector(summary="outlines", columns=("rgi_id",))


def write_npz(path: Path) -> Artefact:
    noise = np.random.default_rng(1).integers(0, 255, (50, 60)).astype(np.uint8)
    write_arrays(path, {"image": noise, "row": np.zeros(50, np.int32)})
    return Arrays(summary="arrays", arrays={"image": (("uint8",), 2), "row": (("int32",), 1)})


def write_rows(path: Path) -> Artefact:
    write_table(path, [Row(year=2016 + index, area_km2=1200.5) for index in range(9)], Row)
    return Table(summary="areas", row=Row)


def write_document(path: Path) -> Artefact:
    path.write_text(json.dumps({"year": 2020, "area_km2": 1200.5}) + "\n")
    return Json(summary="an area", model=Row)


def write_noise(path: Path) -> Artefact:
    write_cog(path, np.random.default_rng(1).integers(1, 9999, GRID.shape).astype(np.uint16), GRID, nodata=0.0)
    return Raster(summary="a scene, of any values", dtype="uint16", nodata=0.0)


def write_mask(path: Path) -> Artefact:
    write_cog(path, np.random.default_rng(1).integers(0, 2, GRID.shape).astype(np.uint8), GRID, nodata=255.0)
    return Raster(summary="a mask", dtype="uint8", nodata=255.0, values=(0, 1, 255))


WRITERS = [
    pytest.param(write_vector, "outlines.gpkg", id="vector"),
    pytest.param(write_npz, "train.npz", id="arrays"),
    pytest.param(write_rows, "areas.csv", id="table"),
    pytest.param(write_document, "area.json", id="document"),
    pytest.param(write_noise, "scene.tif", id="raster"),
    pytest.param(write_mask, "mask.tif", id="raster of listed values"),
]


@pytest.mark.parametrize(("write", "name"), WRITERS)
def test_a_whole_file_passes(write: Callable[[Path], Artefact], name: str, tmp_path: Path) -> None:
    write(tmp_path / name).check(tmp_path / name)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999], ids=lambda part: f"{part:.1%} of it")
@pytest.mark.parametrize(("write", "name"), WRITERS)
def test_a_file_cut_short_breaks_its_contract(
    write: Callable[[Path], Artefact], name: str, part: float, tmp_path: Path
) -> None:
    path = tmp_path / name
    kind, content = write(path), path.read_bytes()
    path.write_bytes(content[: min(int(part * len(content)), len(content) - 2)])
    with pytest.raises(GlacierError) as caught:
        kind.check(path)
    assert caught.value.exit_code == 2
    assert name in caught.value.where
    assert caught.value.expected and caught.value.found and caught.value.fix


@pytest.mark.parametrize(("write", "name"), WRITERS)
def test_a_file_of_other_bytes_breaks_its_contract(
    write: Callable[[Path], Artefact], name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    kind, size = write(path), path.stat().st_size
    path.write_bytes(b"\xff\xfe" + bytes(range(256)) * (size // 256 + 1))
    with pytest.raises(GlacierError):
        kind.check(path)


@pytest.mark.parametrize(("write", "name"), WRITERS[2:4])
def test_text_that_is_not_utf_8_breaks_its_contract(
    write: Callable[[Path], Artefact], name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    kind = write(path)
    path.write_bytes(path.read_bytes().replace(b"year", "jahr-ü".encode("latin-1")))
    with pytest.raises(ContractError, match="not readable") as caught:
        kind.check(path)
    assert caught.value.expected == "text in UTF-8"


@pytest.mark.parametrize("number", ["inf", "nan", "1e999"])
def test_a_number_without_end_breaks_its_contract(number: str, tmp_path: Path) -> None:
    """Infinity is not negative, and Python reads it."""
    table, document = tmp_path / "areas.csv", tmp_path / "area.json"
    table.write_text(f"year,true_area_km2\n2020,{number}\n")
    in_json = number.replace("inf", "Infinity").replace("nan", "NaN")
    document.write_text(f'{{"year": 2020, "true_area_km2": {in_json}}}\n')
    for kind, path in ((Table(summary="areas", row=TrueArea), table), (Json(summary="area", model=TrueArea), document)):
        with pytest.raises(ContractError, match="breaks its contract") as caught:
            kind.check(path)
        assert "finite number" in str(caught.value.expected)


@pytest.mark.parametrize(
    ("content", "start"),
    [
        pytest.param("2020,1200.5,\n2021,1200", "a table cut short at ", id="a number that lost its digits"),
        pytest.param("2020,1200.5,\n2021,1200.5,", "a table cut short at ", id="no line break at the end"),
        pytest.param("2020,1200.5\n", "2 fields", id="too few fields, the last one optional"),
        pytest.param("2020,1200.5,1,7\n", "4 fields", id="too many fields"),
        pytest.param("2020,1200.5,\n\n", "0 fields", id="an empty line"),
    ],
)
def test_a_row_cut_short_breaks_its_contract(content: str, start: str, tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    path.write_text(f"year,area_km2,sigma_km2\n{content}")
    with pytest.raises(ContractError, match="not readable") as caught:
        Table(summary="areas", row=Row).check(path)
    assert caught.value.found.startswith(start)
    assert "areas.csv" in caught.value.where


def encrypted(content: bytes) -> bytes:
    """The archive with the flag of a password set on its last entry: a single bit that was turned."""
    start = content.rindex(b"PK\x01\x02")
    return content[: start + 8] + bytes([content[start + 8] | 1]) + content[start + 9 :]


def of_unknown_compression(content: bytes) -> bytes:
    start = content.rindex(b"PK\x01\x02")
    return content[: start + 10] + b"\x63" + content[start + 11 :]


def single_array(_: bytes) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


@pytest.mark.parametrize("spoil", [encrypted, of_unknown_compression, single_array])
def test_an_archive_with_a_wrong_bit_breaks_its_contract(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "train.npz"
    kind = write_npz(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ContractError, match="not readable as arrays"):
        kind.check(path)


def test_one_endless_field_is_not_a_table(tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    path.write_text("7" * 200_000 + "\n")
    with pytest.raises(ContractError, match="not readable") as caught:
        Table(summary="areas", row=Row).check(path)
    assert caught.value.expected == "comma-separated values"


def test_labels_refuse_outlines_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.write_params(tmp_path, tiny.params(tmp_path, [2020]))
    for name in ("outlines", "aoi"):
        tiny.write_outlines(tmp_path / f"data/{name}.gpkg")
    whole = Path("data/outlines.gpkg").read_bytes()
    Path("data/outlines.gpkg").write_bytes(whole[: len(whole) // 2])
    assert main(LABELS, label, []) == 2
    message = capsys.readouterr().err
    assert message.startswith("labels: the vector file is not readable\n  where:    data/outlines.gpkg\n")
    assert "fix:" in message and "Traceback" not in message
