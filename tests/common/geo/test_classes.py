"""Colours and names of classes stand in the file itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from stages.common.display import colours
from stages.common.geo import classes
from stages.common.geo.grid import Grid
from stages.common.geo.raster import gdal_env, write_cog


def test_a_map_opens_in_its_colours_with_the_names_of_its_classes(tmp_path: Path) -> None:
    pixels = np.array([[0, 1], [255, 1]], np.uint8)
    grid = Grid("EPSG:32644", Affine(10, 0, 300_000, 0, -10, 3_400_000), 2, 2)
    with gdal_env():
        write_cog(tmp_path / "mask.tif", pixels, grid, nodata=255, classes=classes.GLACIER_MAP)
        with rasterio.open(tmp_path / "mask.tif") as dataset:
            assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert dataset.colorinterp[0].name == "palette"
            table, names = dataset.colormap(1), dataset.tags(1)
            assert (dataset.read(1) == pixels).all()
    assert {value: table[value][:3] for value in (0, 1, 255)} == {
        0: colours.GROUND, 1: colours.SKY, 255: colours.GREY_DARK,
    }  # fmt: skip
    assert names == {"CLASS_0": "no glacier", "CLASS_1": "glacier", "CLASS_255": "not seen"}
    assert list(tmp_path.iterdir()) == [tmp_path / "mask.tif"]


def test_the_colours_are_those_of_the_report() -> None:
    pairs = [
        (classes.GROUND, colours.GROUND), (classes.SKY, colours.SKY), (classes.GREY, colours.GREY_DARK),
        (classes.GREY_LIGHT, colours.GREY_LIGHT), (classes.DEBRIS[1][1], colours.DEBRIS),
        (classes.CHANGE[1][1], colours.UNCHANGED), (classes.CHANGE[2][1], colours.LOST),
        (classes.CHANGE[3][1], colours.GAINED),
    ]  # fmt: skip
    assert [of_files for of_files, _ in pairs] == [of_pages for _, of_pages in pairs]
