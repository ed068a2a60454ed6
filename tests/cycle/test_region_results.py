"""A region with its results on a real S3 server: mapped there, gone on with there, one clear error where it is down."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import geopandas
import pytest

from region.results import Results
from sandbox import mountains, tiny
from stages.common.errors import InputError, StorageError
from tests.cycle.servers import S3, WEED
from tests.region.conftest import PYTHON, map_region

pytestmark = [pytest.mark.cycle, pytest.mark.enable_socket]

URL = "s3://range/results"


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    if absent := [str(path) for path in (PYTHON, WEED) if not path.exists()]:
        pytest.skip(f"run bin/region-environment and bin/cycle-servers: there is no {', '.join(absent)}")
    server = S3(tmp_path / "weed")
    server.start()
    server.make_bucket("range")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.die()


def test_a_region_on_s3(s3: S3, empty_database: Path, tmp_path: Path) -> None:
    folder = mountains.make_region(tmp_path / "regions", workers=1, results=URL)
    tiny.write_outlines(folder / "source/outlines.gpkg", mountains.glaciers()[:2])
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_database, tmp_path / "mlruns/mlflow.db")
    first = map_region(tmp_path)
    assert first.returncode == 0, first.stdout
    results = Results(URL)
    assert len(geopandas.read_parquet(io.BytesIO(results.read("glacier_years.parquet") or b""))) == 2 * 2
    (manifest,) = results.manifests()
    place = f"cells/{manifest['cell']}/{manifest['key'][:16]}"
    for name, file in manifest["files"].items():
        assert len(results.read(f"{place}/{name}") or b"") == file["bytes"]
    again = map_region(tmp_path)
    assert again.returncode == 0, again.stdout
    assert "1 of 1 cells are done already" in again.stdout
    assert "this state is logged already" in again.stdout
    with pytest.raises(InputError, match="the results are of another region"):
        results.claim("other")
    s3.die()
    with pytest.raises(StorageError, match="run the same command again: finished cells stay"):
        results.read("glacier_years.parquet")
