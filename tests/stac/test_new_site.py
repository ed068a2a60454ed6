"""A new site from an RGI id: one command, then `ingest` from the catalogue."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox import tiny
from sandbox.stac_server import Server
from setup.site import main as new_site
from stages.common.params.schema import load_params
from stages.ingest.ingest import main as ingest
from tests.stac import catalogue
from tests.stac.served_site import only_scene

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.enable_socket, pytest.mark.stac_server]


def test_one_command_then_ingest(server: Server, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "BANDS", ("B02", "B03", "B04", "B08", "B11", "B12"))
    for day in ("2020-10-06", "2021-10-06", "2021-08-06"):
        catalogue.write_scene(workdir / "scenes", day)
    catalogue.publish(server, workdir / "scenes", "earth-search-c1")
    (workdir / "sites").mkdir()
    shutil.copy(ROOT / "dvc.yaml", workdir)
    outlines = tiny.write_outlines(workdir / "rgi.gpkg")
    words = ["NAME=mine", "RGI_ID=RGI60-15.00001", f"OUTLINES={outlines}", "YEARS=2020-2021", f"URL={server.api}"]
    assert new_site(words, workdir) == 0
    monkeypatch.chdir(workdir / "sites/mine")
    params = load_params()
    assert (params.grid.crs, params.grid.pixel_size_m) == (tiny.CRS, 10)
    assert params.site.title == "Large"
    assert params.ingest.season is not None
    assert (params.ingest.season.first, params.ingest.season.last) == ("09-20", "11-10")
    assert ingest([]) == 0
    assert [str(only_scene(year).info.day) for year in (2020, 2021)] == ["2020-10-06", "2021-10-06"]
