"""Styles of rasters as QGIS reads them (version 3.22 and later): from its project, or from a file beside the raster."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from stages.common.display.colours import RGB, hexadecimal


def class_style(entries: Sequence[tuple[int, str, RGB, float]], *, band: int = 1) -> ET.Element:
    """Return the renderer of a band of classes: value, name, colour and opacity (0 to 1) of each."""
    renderer = raster_renderer("paletted", band=str(band))
    palette = ET.SubElement(renderer, "colorPalette")
    for value, label, colour, opacity in entries:
        entry = {"value": str(value), "label": label, "color": hexadecimal(colour), "alpha": str(round(255 * opacity))}
        ET.SubElement(palette, "paletteEntry", entry)
    return pipe_of(renderer)


def raster_renderer(kind: str, **attributes: str) -> ET.Element:
    """Return an empty renderer of a raster of that kind."""
    return ET.Element(
        "rasterrenderer", {"type": kind, "alphaBand": "-1", "opacity": "1", "nodataColor": ""} | attributes
    )


def style_document(renderer: ET.Element) -> str:
    """Return a QML document with a layer's renderer alone."""
    document = ET.Element("qgis", {"version": "3.22.0", "styleCategories": "Symbology"})
    document.append(renderer)
    return ET.tostring(document, encoding="unicode")


def pipe_of(renderer: ET.Element, *, gamma: float = 1.0) -> ET.Element:
    """Return what QGIS sends the pixels of a raster through: its renderer; `gamma` above 1 lightens."""
    pipe = ET.Element("pipe")
    pipe.append(renderer)
    ET.SubElement(pipe, "brightnesscontrast", {"brightness": "0", "contrast": "0", "gamma": f"{gamma:g}"})
    return pipe
