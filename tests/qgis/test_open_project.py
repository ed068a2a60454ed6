"""The project opened by QGIS itself: every layer valid and styled, and its picture shows ice where the report does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.report import report_inputs
from tests.report.conftest import run_report

pytestmark = pytest.mark.qgis
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What QGIS says of the project of nine years, and the folder of the pictures that it drew."""
    folder = tmp_path_factory.mktemp("qgis")
    report = run_report(report_inputs.make_artifacts(folder / "site", storage="sentinel2"))
    command = [
        SYSTEM_PYTHON, str(Path(__file__).with_name("open_project.py")), str(report / "glacier.qgz"),
        str(folder / "all.png"), str(folder / "last.png"),
    ]  # fmt: skip
    home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=home, timeout=300)
    return json.loads(result.stdout.splitlines()[-1]), folder


def test_every_layer_is_valid_styled_and_named(opened: tuple[dict[str, Any], Path]) -> None:
    project, _ = opened
    layers = {layer["name"]: layer for layer in project["layers"]}
    assert project["opened"]
    assert project["crs"] == "EPSG:32644"
    assert [name for name, layer in layers.items() if not layer["valid"]] == []
    assert {layer["renderer"] for layer in layers.values()} == {
        "singleSymbol", "paletted", "singlebandpseudocolor", "multibandcolor"
    }  # fmt: skip
    assert layers["Outlines of the year"]["features"] == 9
    assert {"date", "area_low_km2", "area_high_km2", "clean_ice_km2"} <= set(layers["Outlines of the year"]["fields"])


def test_vectors_open_with_the_style_that_is_inside_the_file(opened: tuple[dict[str, Any], Path]) -> None:
    project, _ = opened
    assert {
        layer["name"]: layer["style"] for layer in project["layers"] if layer["features"] is not None
    } == dict.fromkeys(
        ("Fronts, images alone", "Flow lines", "Outlines of the year", "Old outlines", "Not observed"), True
    )


def test_the_slider_plays_the_years(opened: tuple[dict[str, Any], Path]) -> None:
    project, _ = opened
    assert (project["begin"][:4], project["end"][:4], project["step"], project["slider"]) == ("2015", "2024", 1.0, 1)
    assert not project["absolute_paths"]


def test_the_picture_shows_bright_ice_with_its_outline(opened: tuple[dict[str, Any], Path]) -> None:
    """Inside the ellipse of the last year the scene is bright, outside it is dark; orange lies between."""
    _, folder = opened
    picture = np.asarray(Image.open(folder / "last.png").convert("RGB")).astype(int)
    px = picture.shape[1] / (4500 + 1000)  # pixels per metre: the AOI's width and the picture's margin
    middle = picture[round((500 + 72 * 30) * px), round((500 + 85 * 30) * px)]
    corner = picture[round(600 * px), round(600 * px)]
    assert middle.min() > 1.5 * corner.max()
    orange = (picture[..., 0] > 200) & (picture[..., 2] < 90)
    assert orange.any()
