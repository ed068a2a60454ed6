"""Which products carry the offset of 1000."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from stages.common.errors import InputError
from stages.common.scene.harmonise import calibration_of
from stages.common.scene.scene import Band, Scene, SceneInfo


def scene(**metadata: object) -> Scene:
    info = SceneInfo(id="S2", year=2016, acquired=None, product="S2", **metadata)  # type: ignore[arg-type]
    return Scene(info=info, bands={"B02": Band(path=Path("x"), dtype="uint16", nodata=0, scale=1e-4, offset=0.0)})


@pytest.mark.parametrize(
    ("convention", "baseline", "flag", "offset"),
    [
        pytest.param("by-baseline", "02.14", None, 0.0, id="as delivered, old"),
        pytest.param("by-baseline", "03.01", None, 0.0, id="as delivered, last without"),
        pytest.param("by-baseline", "04.00", None, -0.1, id="as delivered, first with"),
        pytest.param("by-baseline", "05.00", None, -0.1, id="as delivered, collection 1"),
        pytest.param("always-offset", "05.00", None, -0.1, id="Earth Search collection 1"),
        pytest.param("always-offset", None, None, -0.1, id="Earth Search collection 1, baseline unknown"),
        pytest.param("flagged", "03.01", False, 0.0, id="Earth Search, old"),
        pytest.param("flagged", "05.09", True, 0.0, id="Earth Search, taken out"),
        pytest.param("flagged", "05.09", False, -0.1, id="Earth Search, left in"),
        pytest.param("flagged", "04.00", None, -0.1, id="Earth Search, flag absent"),
        pytest.param("flagged", "02.14", True, 0.0, id="Earth Search, old, whatever the flag says"),
        pytest.param("stated", "05.09", None, 0.0, id="stated with the band"),
        pytest.param(None, None, None, 0.0, id="a user's own raster"),
    ],
)
def test_the_baseline_decides_never_the_date(
    convention: str | None, baseline: str | None, flag: bool | None, offset: float
) -> None:
    calibration = calibration_of(
        scene(convention=convention, processing_baseline=baseline, boa_offset_applied=flag), name="B02"
    )
    assert (calibration.scale, calibration.offset) == (1e-4, offset)


@pytest.mark.parametrize("year", [2016, 2021, 2022, 2024])
@pytest.mark.parametrize(("baseline", "offset"), [("03.01", 0.0), ("05.00", -0.1)])
def test_the_year_says_nothing(year: int, baseline: str, offset: float) -> None:
    """Collection 1 has reprocessed scenes of 2016 with the offset, and old products of 2022 lie about without."""
    info = SceneInfo(
        id="S2", year=year, acquired=dt.date(year, 10, 1), product="S2", convention="by-baseline",
        processing_baseline=baseline,
    )  # fmt: skip
    assert calibration_of(Scene(info=info, bands=scene().bands), "B02").offset == offset


def test_a_product_states_its_offset_band_by_band() -> None:
    """SAFE: ``BOA_ADD_OFFSET`` has a value for each band; where the element is absent it is 0."""
    bands = {
        name: Band(path=Path("x"), dtype="uint16", nodata=0, scale=1e-4, offset=offset)
        for name, offset in (("B02", -0.1), ("B11", 0.0))
    }
    stated = Scene(info=scene(convention="stated", processing_baseline="04.00").info, bands=bands)
    assert [calibration_of(stated, name).offset for name in bands] == [-0.1, 0.0]


@pytest.mark.parametrize("baseline", [None, "", "N0509", "5", "05.x"])
@pytest.mark.parametrize("convention", ["by-baseline", "flagged"])
def test_without_a_baseline_nothing_is_guessed(convention: str, baseline: str | None) -> None:
    with pytest.raises(InputError, match="baseline is not known"):
        calibration_of(scene(convention=convention, processing_baseline=baseline), "B02")


@pytest.mark.parametrize("convention", ["by-baseline", "flagged"])
def test_a_baseline_made_locally_says_nothing(convention: str) -> None:
    with pytest.raises(InputError, match="says nothing about its offset"):
        calibration_of(scene(convention=convention, processing_baseline="99.99"), "B02")


def test_an_unknown_convention_is_refused() -> None:
    with pytest.raises(InputError, match="DN mean is not known"):
        calibration_of(scene(convention="rumour"), "B02")
