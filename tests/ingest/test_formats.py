"""Products of other shapes than Sentinel-2 L2A, made after their definitions: right reflectance, or a clear refusal.

HLS v2.0 user guide, tables 6, 8 and 10: int16, fill value -9999, reflectance = DN x 0.0001, Fmask with bits.
Landsat 8-9 Collection 2 Level 2 guide (LSDS-1619), table 6-1: uint16, fill value 0, DN x 0.0000275 - 0.2, QA_PIXEL.
Sentinel-2 L1C: products specification document S2-PDGS-TAS-DI-PSD 14.9, from baseline 04.00: (DN - 1000) / 10000.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from sandbox import tiny
from stages.common.run import stage
from stages.ingest.ingest import main as ingest
from stages.prepare.contract import CONTRACT
from stages.prepare.prepare import prepare
from tests.ingest.sources.safe import safe_product

Site = dict[str, Any]
BANDS = ("B02", "B03", "B04", "B08", "B11")
ROCK, SHADE = (0.12, 0.16, 0.2, 0.24, 0.3), (0.02, 0.02, 0.015, 0.02, 0.01)
ICE = (0.72, 0.7, 0.66, 0.6, 0.04)
UNSEEN = (slice(0, 10), slice(0, 160))
"""Rows that hold the fill value."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a level is stored."""

    level: str
    name: str
    dtype: str
    fill: int
    scale: float
    offset: float
    states_scale: bool
    """Whether the files themselves state scale and offset."""


HLS = Format(
    level="HLS", name="HLS.S30.T44RLV.2020281T045701.v2.0", dtype="int16", fill=-9999, scale=1e-4, offset=0.0,
    states_scale=True,
)  # fmt: skip
L2SP = Format(
    level="L2SP", name="LC08_L2SP_140041_20201007_20201016_02_T1", dtype="uint16", fill=0, scale=2.75e-5, offset=-0.2,
    states_scale=False,
)  # fmt: skip


def ground() -> np.ndarray:
    """(5, 160, 160) reflectance: ice within the outlines, rock around it, with some shade."""
    bright = tiny.scene(2020)[0] > 150
    shaded = ~bright & (np.random.default_rng(5).random(bright.shape) < 0.05)
    columns = (np.array(values)[:, None, None] for values in (ROCK, ICE, SHADE))
    rock, ice, shade = columns
    return np.where(shaded, shade, np.where(bright, ice, rock)).astype(float)


def write(path: Path, kind: Format, values: np.ndarray) -> None:
    """Write the bands in one file, as they are stacked for this source."""
    pixels = np.round((values - kind.offset) / kind.scale).astype(kind.dtype)
    pixels[:, UNSEEN[0], UNSEEN[1]] = kind.fill
    with rasterio.open(
        path, "w", driver="GTiff", height=160, width=160, count=len(pixels), dtype=kind.dtype, crs=tiny.CRS,
        transform=Affine(tiny.PIXEL_M, 0, tiny.LEFT, 0, -tiny.PIXEL_M, tiny.TOP), nodata=kind.fill,
    ) as out:  # fmt: skip
        out.write(pixels)
        if kind.states_scale:
            out.scales, out.offsets = [kind.scale] * len(pixels), [kind.offset] * len(pixels)


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(folder: Path, kind: Format, **scene: Any) -> None:
    """Make a site of one scene of this format."""
    (folder / "source").mkdir()
    write(folder / f"source/{kind.name}.tif", kind, ground())
    tiny.write_outlines(folder / "source/outlines.gpkg")
    content = tiny.params(Path("source"), [2020])
    stated = {} if kind.states_scale else {"scale": kind.scale, "offset": kind.offset}
    listed = {"path": f"source/{kind.name}.tif", "date": "2020-10-07", "bands": list(BANDS)}
    content["ingest"]["raster"]["scenes"] = [listed | {"processing_level": kind.level} | stated | scene]
    content["prepare"] = {"bands": list(BANDS), "storage": "sentinel2"}
    content["report"] = {"rgb": ["B04", "B03", "B02"]}
    tiny.write_params(folder, content)


def reflectance() -> np.ma.MaskedArray[Any, Any]:
    """What `prepare` has written, masked where nothing was seen."""
    with rasterio.open("artifacts/prepare/2020/scene.tif") as dataset:
        return dataset.read(masked=True) * dataset.scales[0] + dataset.offsets[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", [HLS, L2SP], ids=lambda kind: kind.level)
def test_a_product_keeps_its_reflectance_and_its_gaps(kind: Format, workdir: Path) -> None:
    make(workdir, kind)
    assert ingest([]) == 0
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 0
    seen = reflectance()
    assert np.ma.getmaskarray(seen)[:, UNSEEN[0]].all() and not np.ma.getmaskarray(seen)[:, UNSEEN[0].stop :].any()
    assert np.abs(seen - ground()).max() < 1e-4


@pytest.mark.parametrize(
    ("kind", "wrong", "words"),
    [
        pytest.param(
            L2SP, {"scale": 1e-4, "offset": 0.0}, "brighter than any ground", id="landsat-counted-as-sentinel-2"
        ),
        pytest.param(L2SP, {"offset": 0.0}, "left in", id="landsat-without-its-offset"),
        pytest.param(HLS, {"offset": -0.1}, "subtracted twice", id="hls-with-an-offset-of-sentinel-2"),
    ],
)
def test_another_calibration_is_refused(
    kind: Format, wrong: dict[str, float], words: str, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(workdir, kind, **wrong)
    assert ingest([]) == 0
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 2
    message = capsys.readouterr().err
    assert words in message and "fix:" in message


def test_quality_bits_are_no_cloud_mask(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """QA_PIXEL of a scene with snow (30048), clear ground (21824) and cloud (22280); table 6-3 of the guide."""
    make(workdir, L2SP, cloud_mask="source/QA_PIXEL.tif")
    bits = np.where(ground()[0] > 0.5, 30048, 21824).astype(np.uint16)
    bits[50:60] = 22280
    tiny.write_scene(workdir / "source/QA_PIXEL.tif", bits[None])
    assert ingest([]) == 2
    assert "(A&26)>0" in capsys.readouterr().err


def test_l1c_subtracts_the_offset_of_its_metadata(workdir: Path) -> None:
    """DN 3000 is 0.2 since baseline 04.00 and 0.3 before."""
    safe_product.make_site(workdir, ["2020-10-01"], processing_level="L1C")
    for product in (workdir / "source").glob("*.SAFE"):
        product.rename(workdir / product.name)
    safe_product.write_product(workdir / "source", "2020-10-01", level="1C")
    assert ingest([]) == 0
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 0
    assert np.abs(reflectance() - 0.2).max() < 1e-6
