"""Servers that are busy, refuse, break off, or do not have what they name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox import stac_site, tiny
from sandbox.stac_server import Server
from stages.ingest.ingest import main
from stages.ingest.sources.stac import search as stac_search
from stages.ingest.sources.stac.cache import READ_CACHE
from tests.ingest.test_refusals import snapshot
from tests.stac.served_site import only_scene, ready, refused, rows

pytestmark = [pytest.mark.enable_socket, pytest.mark.stac_server]


def test_a_server_that_is_busy_is_asked_again(server: Server, workdir: Path) -> None:
    ready(server, workdir)
    server.faults.spoil("/files/.*B11", "503", times=2)
    server.faults.spoil("/search", "503", times=1)
    assert main([]) == 0
    assert [left for _, _, left in server.faults.rules] == [0, 0]


def test_an_interrupted_transfer_is_repeated(server: Server, workdir: Path) -> None:
    ready(server, workdir)
    assert main([]) == 0
    whole = snapshot(workdir / "data")
    shutil.rmtree(workdir / "data")
    server.faults.spoil(r"/files/.*\.tif", "cut", times=3)
    assert main([]) == 0
    assert [left for _, _, left in server.faults.rules] == [0]
    assert snapshot(workdir / "data") == whole


def test_what_was_read_before_an_interruption_is_not_read_again(
    server: Server, workdir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ready(server, workdir)
    server.faults.spoil("/files/.*B02", "503")
    refused("a file cannot be read from the server", capfd)
    before = server.requests("scl.tif")
    assert before > 0
    assert list(READ_CACHE.glob("*.tif"))
    assert not list(READ_CACHE.glob("*.part"))
    server.faults.clear()
    assert main([]) == 0
    assert server.requests("scl.tif") == before
    assert not READ_CACHE.exists()


def test_a_dead_asset_of_one_date_gives_way_to_the_next(server: Server, workdir: Path) -> None:
    ready(server, workdir)
    for file in (server.folder / "scenes").glob("*20201006*/B11.tif"):
        file.unlink()
    assert main([]) == 0
    assert str(only_scene(2020).info.day) == "2020-10-16"
    assert rows()["2020-10-06"].reason == "the catalogue names a file that is not there: B11.tif"


@pytest.mark.parametrize("broken", ["absent", "no image"])
def test_a_band_of_the_chosen_date_that_cannot_be_had_rules_it_out(server: Server, workdir: Path, broken: str) -> None:
    ready(server, workdir)
    for file in (server.folder / "scenes").glob("*20201006*/B02.tif"):
        file.unlink() if broken == "absent" else file.write_bytes(b"<html>busy</html>")
    assert main([]) == 0
    assert str(only_scene(2020).info.day) == "2020-10-16"
    assert rows()["2020-10-06"].reason.endswith(": B02.tif")
    assert not rows()["2020-10-06"].taken
    assert len(list(Path("data/scenes/2020").iterdir())) == 2, "the scene and the year's index"


def test_a_year_whose_only_date_is_broken_is_missing(
    server: Server, workdir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ready(server, workdir)
    for file in (server.folder / "scenes").glob("*2021*/B02.tif"):
        file.unlink()
    assert "2021: no candidate can be used: the catalogue names a file" in refused("no valid scene of 2021", capfd)


def test_an_expired_signature_is_renewed(server: Server, workdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ready(server, workdir, profile="planetary-computer", under="signed", token_url=f"{server.api}/token")
    server.faults.token = "sig-of-yesterday"
    assert main([]) == 0
    assert server.faults.requested_paths.count("/token") == 2
    message_text = capfd.readouterr()
    for name, content in snapshot(workdir / "data").items():
        assert b"sig-of" not in content, name
    assert "sig-of" not in message_text.err + message_text.out


def test_a_signature_that_is_never_accepted_is_an_error(
    server: Server, workdir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ready(server, workdir, profile="planetary-computer", under="signed", token_url=f"{server.api}/token")
    server.faults.spoil("/signed/", "403")
    assert "sig-of" not in refused("the server refuses a file", capfd)


def test_a_server_without_tokens_is_an_error(server: Server, workdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ready(server, workdir, profile="planetary-computer", under="signed", token_url=f"{server.api}/nothing")
    refused("the catalogue gives no token for its files", capfd)


def test_a_server_that_ignores_paging_is_found_out(
    server: Server, workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stac_search, "PAGE_ITEMS", 1)
    ready(server, workdir)
    server.faults.spoil("/search", "same-page")
    refused("the catalogue does not give all pages of its answer", capfd)


def test_a_server_that_is_down_is_an_error(server: Server, workdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ready(server, workdir)
    server.faults.spoil("/search", "503")
    refused("the catalogue cannot be searched", capfd)


def test_a_file_that_is_no_raster_rules_its_scene_out(
    server: Server, workdir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ready(server, workdir)
    for file in (server.folder / "scenes").glob("*/scl.tif"):
        file.write_bytes(b"<html>login</html>" * 100)
    assert "an image on the server is damaged (3)" in refused("there is no valid scene of 2020, 2021", capfd)


def test_an_empty_answer_is_a_missing_year(server: Server, workdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ready(server, workdir)
    content = stac_site.params(server, "earth-search-c1", [2020, 2021, 2022])
    tiny.write_params(workdir, content)
    assert "leave it out (years: [2020, 2021])" in refused("there is no valid scene of 2022", capfd)
