"""A run of `prepare` reads each file of a scene once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.io

from sandbox import twin_site
from stages.common.run import stage
from stages.prepare.contract import CONTRACT
from stages.prepare.prepare import prepare
from tests.prepare.scenes import BANDS, SIZE, cloud, grid, layer, run, store, texture

YEARS = [2018, 2020]
TERRAIN = ["elevation", "slope"]
SIDE_M = 8_000


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Number of times that a band or mask of a stored scene, or the DEM, was read, by its path under data/."""
    counts: Counter[str] = Counter()
    open_file = rasterio.open

    class Counted:
        def __init__(self, dataset: rasterio.io.DatasetReader) -> None:
            self.dataset = dataset

        def __enter__(self) -> Counted:
            return self

        def __exit__(self, *_: object) -> None:
            self.dataset.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.dataset, name)

        def read(self, *arguments: Any, **options: Any) -> np.ndarray:
            counts[str(Path(self.dataset.name).relative_to("data"))] += 1
            return self.dataset.read(*arguments, **options)

    def open_and_count(path: Path, *arguments: Any, **options: Any) -> Any:
        dataset = open_file(path, *arguments, **options)
        return Counted(dataset) if Path(path).parts[0] == "data" else dataset

    monkeypatch.setattr(rasterio, "open", open_and_count)
    return counts


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = twin_site.params(YEARS, bands=["B02", "B03", "B04", "B08", "B11", "B12", *TERRAIN])
    content["prepare"] |= {"coregister": {}}
    left, bottom = twin_site.LEFT, twin_site.BOTTOM
    content["ingest"]["aoi"]["bounds"] = [left, bottom, left + SIDE_M, bottom + SIDE_M]
    return twin_site.ingest_as(tmp_path_factory.mktemp("twin"), content)


@pytest.mark.parametrize("year", YEARS, ids=["reference year", "another year"])
def test_every_file_of_a_scene_is_read_once(
    year: int, twin: Path, reads: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Co-registered and with terrain: of the reference, in another year, only what the shift is measured on."""
    monkeypatch.chdir(twin)
    assert stage.main(CONTRACT, prepare, ["--year", str(year)]) == 0
    compared = {"B02", "B03", "B04", "B11", "scl"}
    expected = {(str(year), name) for name in compared | {"B08", "B12"}} | {("2018", name) for name in compared}
    scene_files = [Path(path) for path in reads if path.startswith("scenes")]
    assert {(path.parts[1], path.stem) for path in scene_files} == expected
    assert reads["auxiliary/dem.tif"] == 1
    assert set(reads.values()) == {1}


def test_scenes_that_are_merged_and_kept_apart_are_read_once(site: Path, reads: Counter[str]) -> None:
    """Two tiles and a later pass with a cloud mask, the year merged and its passes separate."""
    params = site / "params.yaml"
    params.write_text(params.read_text().replace("storage: sentinel2", "storage: sentinel2\n  passes: separate"))
    store(
        ("left", [layer(name, texture(1), grid(-20)) for name in BANDS]),
        ("right", [layer(name, texture(2), grid(40)) for name in BANDS]),
        ("later", [*(layer(name, texture(3)) for name in BANDS), cloud(np.zeros((SIZE, SIZE)))]),
        days={"left": dt.date(2020, 10, 15), "right": dt.date(2020, 10, 15), "later": dt.date(2020, 11, 4)},
    )
    reads.clear()
    run()
    assert Path("artifacts/prepare/2020/passes/2/scene.tif").exists()
    assert len(reads) == 3 * len(BANDS) + 1
    assert set(reads.values()) == {1}
