"""Names and colours of the classes in rasters, as they stand in the files: any program shows them without a style.

The colours are those of the report (`stages.common.display.colours`), which this package does not import: a training
depends on it, and not on how things look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RGB = tuple[int, int, int]
Classes = Mapping[int, tuple[str, RGB]]
"""Stored value to the name and the colour of its class."""

GROUND: RGB = (246, 243, 238)
GREY: RGB = (120, 124, 128)
GREY_LIGHT: RGB = (168, 172, 176)
SKY: RGB = (86, 180, 233)

GLACIER_MAP: Classes = {0: ("no glacier", GROUND), 1: ("glacier", SKY), 255: ("not seen", GREY)}
LABELS: Classes = {0: ("no glacier", GROUND), 1: ("glacier", SKY), 255: ("ignored", GREY_LIGHT)}
SEEN: Classes = {0: ("not seen", GREY), 1: ("seen", GROUND)}
DEBRIS: Classes = {0: ("no debris", GROUND), 1: ("debris", (110, 84, 60))}
CHANGE: Classes = {
    0: ("no glacier", GROUND),
    1: ("unchanged ice", (186, 198, 208)),
    2: ("lost", (213, 94, 0)),
    3: ("gained", (0, 114, 178)),
    255: ("not seen in one of the two years", GREY),
}


def write_classes(dataset: Any, classes: Classes) -> None:
    """Store the colour table and, as tags of the band, the names of the classes; before any pixel is written.

    GeoTIFF has no other place for names: GDAL would write them into a file beside it.
    """
    dataset.write_colormap(1, {value: (*colour, 255) for value, (_, colour) in classes.items()})
    dataset.update_tags(1, **{f"CLASS_{value}": name for value, (name, _) in classes.items()})
