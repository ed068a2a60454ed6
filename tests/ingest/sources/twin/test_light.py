"""The sun's place, the light on a slope, and the length of a shadow."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stages.ingest.sources.twin.light import Sun, light_on, shadow, sun_on

SUN = Sun(elevation_deg=45.0, azimuth_deg=180.0)


def test_the_sun_of_late_october_at_31_north() -> None:
    sun = sun_on(295)
    assert sun.elevation_deg == pytest.approx(43.0, abs=1.5)
    assert sun.azimuth_deg == pytest.approx(153, abs=4)
    assert sun_on(172).elevation_deg > 65


def test_level_ground_has_full_light() -> None:
    light = light_on(np.full((30, 30), 4000.0), 10.0, SUN)
    np.testing.assert_allclose(light.direct, 1, atol=1e-6)
    np.testing.assert_allclose(light.sky, 1, atol=1e-6)
    np.testing.assert_allclose(light.of_band("B02"), 1, atol=1e-6)


@pytest.mark.parametrize(("rise", "expected"), [(0.3, "brighter"), (-0.3, "darker")])
def test_a_slope_is_lit_by_its_angle_to_the_sun(rise: float, expected: str) -> None:
    # Rows run south: ground that rises to the north faces the sun in the south.
    height = -rise * 10.0 * np.arange(60.0)[:, None] * np.ones((1, 60))
    angle = math.radians(45) + math.atan(rise)
    exact = math.sin(angle) / math.sin(math.radians(45))
    light = light_on(height, 10.0, SUN).direct[30, 30]
    assert light == pytest.approx(exact, abs=1e-3)
    assert (light > 1) == (expected == "brighter")


def test_a_wall_casts_a_shadow_as_long_as_it_is_high_under_a_sun_at_45_degrees() -> None:
    height = np.zeros((120, 40))
    height[80:84] = 300.0
    dark = shadow(height, 10.0, SUN)[:, 20]
    assert not dark[84:].any()
    assert dark[:80].sum() == pytest.approx(30, abs=2)
    assert dark[52:79].all()


def test_in_shadow_only_the_sky_is_left_and_it_is_blue() -> None:
    height = np.zeros((200, 60))
    height[120:130] = 900.0
    light = light_on(height, 10.0, SUN)
    assert light.direct[100, 30] == 0
    assert light.of_band("B02")[100, 30] > 5 * light.of_band("B11")[100, 30]
