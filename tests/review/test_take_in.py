"""What a person decided and drew, taken in: checked against today's maps, merged, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import pytest
from shapely.geometry import LineString, Polygon, box

from review.record import read_review, version_of
from review.take_in import DRAWN, take_in
from sandbox import tiny
from stages.common.errors import InputError
from stages.common.run.documents import pinned_outputs
from stages.common.run.outputs import write_json, write_table
from stages.common.tables.data import AuxiliaryManifest
from stages.common.tables.labels import GlacierRow
from tests import forked, repository
from versions.tools import commands

A, AT = "RGI60-15.00001", "2026-11-28T23:00:00Z"


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site of two years and one glacier, that git and DVC do not know."""
    monkeypatch.chdir(tmp_path)
    tiny.write_params(tmp_path, tiny.params(tmp_path / "source", [2020, 2021]))
    for folder in ("artifacts/labels", "artifacts/area", "data/auxiliary"):
        (tmp_path / folder).mkdir(parents=True)
    row = GlacierRow(glacier_index=1, rgi_id=A, outline_area_km2=1, geodesic_area_km2=1, terminus="unknown")
    write_table(Path("artifacts/labels/glaciers.csv"), [row], GlacierRow)
    for year in (2020, 2021):
        Path(f"artifacts/area/outlines_{year}.gpkg").write_bytes(f"map of {year}".encode())


def decision(year: int, word: str = "accept", **changed: Any) -> dict[str, Any]:
    maps = version_of(Path(), year) if year in (2020, 2021) else "a" * 64
    return {"year": year, "decision": word, "by": "A. Person", "at": AT, "maps": maps, "comment": ""} | changed


def saved(*years: dict[str, Any], notes: list[dict[str, Any]] | None = None) -> Path:
    text = json.dumps({"by": "A. Person", "at": AT, "years": years, "notes": notes or []})
    Path("review.json").write_text(text, encoding="utf-8")
    return Path("review.json")


def drawn(shape: Any = None, **columns: Any) -> Path:
    attributes = {"rgi_id": [A], "year": [2021]} | columns
    frame = geopandas.GeoDataFrame(
        {name: values for name, values in attributes.items() if values},
        geometry=[box(350_000, 3_419_000, 351_000, 3_420_000) if shape is None else shape], crs=tiny.CRS,
    )  # fmt: skip
    Path("drawn.gpkg").unlink(missing_ok=True)
    frame.to_file("drawn.gpkg")
    return Path("drawn.gpkg")


def test_later_decisions_take_the_place_of_earlier_ones_on_the_same_and_leave_all_others() -> None:
    note = decision(2020, rgi_id=A, decision=None, comment="a lake")
    take_in(saved(decision(2020), decision(2021), notes=[note]), None)
    take_in(saved(decision(2021, "reject", by="B. Other", comment="snow")), None)
    review = read_review(Path())
    assert review is not None
    assert [(row.year, row.decision, row.by) for row in review.years] == [
        (2020, "accept", "A. Person"), (2021, "reject", "B. Other"),
    ]  # fmt: skip
    assert [(row.rgi_id, row.comment, row.is_piece) for row in review.notes] == [(A, "a lake", False)]
    assert not DRAWN.exists()


def test_drawn_outlines_are_kept_with_who_drew_them_and_a_new_one_replaces_the_old() -> None:
    take_in(saved(), drawn())
    take_in(saved(), drawn(rgi_id=[A], year=[2020]))
    take_in(saved(decision(2021)), drawn(box(350_000, 3_419_000, 352_000, 3_420_000)))
    frame = geopandas.read_file(DRAWN).sort_values("year")
    assert frame[["rgi_id", "year", "by", "at"]].to_numpy().tolist() == [
        [A, 2020, "A. Person", AT], [A, 2021, "A. Person", AT],
    ]  # fmt: skip
    assert frame.crs == "EPSG:4326"
    assert frame.to_crs(tiny.CRS).area.round(-3).tolist() == [1e6, 2e6]


def other_maps() -> Path:
    path = saved(decision(2020), decision(2021))
    Path("artifacts/area/outlines_2021.gpkg").write_bytes(b"another map")
    return path


BOW_TIE = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
REFUSED: list[tuple[Callable[[], Path | None], Callable[[], Path | None], str, str]] = [
    (other_maps, lambda: None, "another version of the maps", "decisions on other outlines of 2021"),
    (lambda: Path("absent.json"), lambda: None, "the review is absent", "absent.json"),
    (drawn, lambda: None, "not a file as the page saves it", "JSON with by"),
    (lambda: saved(decision(1999)), lambda: None, "no such year", "1999"),
    (lambda: saved(notes=[decision(2020, rgi_id="B")]), lambda: None, "no such glacier", "found:    B"),
    (lambda: saved(decision(2020, "maybe")), lambda: None, "not a file as the page saves it", "'accept' or 'reject'"),
    (lambda: None, drawn, "nobody says who drew", "OUTLINES alone"),
    (saved, lambda: drawn(year=None), "lack a column", "add the column year"),
    (saved, lambda: drawn(year=[1999]), "cannot be used", "years of this site"),
    (saved, lambda: drawn(rgi_id=["B"]), "cannot be used", "RGI ids of this site"),
    (saved, lambda: drawn(LineString([(0, 0), (1, 1)])), "cannot be used", "LineString"),
    (saved, lambda: drawn(BOW_TIE), "cannot be used", "polygons that do not cross themselves"),
]


@pytest.mark.parametrize(("handover", "outlines", "what", "detail"), REFUSED)
def test_what_cannot_be_taken_in_is_refused_and_the_earlier_review_stays(
    handover: Callable[[], Path | None], outlines: Callable[[], Path | None], what: str, detail: str
) -> None:
    take_in(saved(decision(2020, "reject")), drawn())
    before = {path: path.read_bytes() for path in Path("data").rglob("*") if path.is_file()}
    files = handover(), outlines()
    with pytest.raises(InputError) as caught:
        take_in(*files)
    assert what in caught.value.what
    assert detail in str(caught.value)
    assert {path: path.read_bytes() for path in Path("data").rglob("*") if path.is_file()} == before


def test_the_review_is_recorded_in_data_dvc_and_nothing_else_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "subprocess", forked)
    write_json(Path("data/auxiliary/manifest.json"), AuxiliaryManifest())
    Path("data/aoi.gpkg").write_bytes(b"area of interest")
    Path("data.dvc").write_text("outs:\n- path: data/auxiliary\n- path: data/aoi.gpkg\n", encoding="utf-8")
    repository.start_dvc(Path())
    assert not commands.run_dvc(Path(), "commit", "--quiet", "--force", "data.dvc").returncode
    before = {entry["path"]: entry["md5"] for entry in pinned_outputs(Path("data.dvc"))}
    take_in(saved(decision(2020)), None)
    after = {entry["path"]: entry["md5"] for entry in pinned_outputs(Path("data.dvc"))}
    assert [after[name] == before[name] for name in before] == [False, True]
    Path("data/aoi.gpkg").write_bytes(b"another")
    with pytest.raises(InputError, match=r"not what data\.dvc pins"):
        take_in(saved(decision(2021)), None)
    review = read_review(Path())
    assert review is not None
    assert review.of_year(2021) is None
