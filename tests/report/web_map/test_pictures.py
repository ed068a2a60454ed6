"""Pictures of the map: exact where they are classes, small where they are scenes."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.common.display import colours
from stages.common.types import UInt8Array
from tests.report.report_inputs import CLOUDY, GRID, NINE_YEARS


@pytest.fixture(scope="module")
def document(nine_years: Path) -> dict[str, Any]:
    """What the script of the page reads."""
    page = (nine_years / "index.html").read_text(encoding="utf-8")
    match = re.search(r'id="map-data">(.*?)</script>', page, re.DOTALL)
    assert match
    return dict(json.loads(match[1]))


def decoded(uri: str) -> UInt8Array:
    return np.asarray(Image.open(io.BytesIO(b64decode(uri.partition(",")[2]))))


def test_each_year_has_a_scene_of_its_own_size(document: dict[str, Any]) -> None:
    scenes = document["pictures"]["natural"]
    assert list(scenes) == [str(year) for year in NINE_YEARS]
    assert decoded(scenes["2024"]).shape == (GRID.height, GRID.width, 3)


def test_what_was_not_observed_is_opaque_and_all_else_clear(document: dict[str, Any]) -> None:
    unseen = {year: decoded(uri)[..., 3] for year, uri in document["pictures"]["unseen"].items()}
    assert {year for year, alpha in unseen.items() if alpha.any()} == {str(CLOUDY)}
    assert (unseen[str(CLOUDY)][12:25, 48:68] == 255).all()


def test_lost_ground_has_its_colour(document: dict[str, Any]) -> None:
    """The ellipse of the last year is shorter in all directions: all change is loss."""
    change = decoded(document["pictures"]["change"]["2024"])
    seen = {tuple(int(part) for part in colour[:3]) for colour in change[change[..., 3] > 0]}
    assert seen == {colours.LOST}
