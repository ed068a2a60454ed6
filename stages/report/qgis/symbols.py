"""How QGIS draws each kind of layer: renderers in the XML of a QGIS project (version 3.22 and later read it)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from stages.common.display.colours import RGB, hexadecimal
from stages.common.drawing.qgis_style import pipe_of, raster_renderer

HALO_WIDER_MM = 0.8
"""How much wider the dark casing of a line is than the line: lines show on snow and on rock."""

CASING: RGB = (32, 36, 40)


def line_symbol(colour: RGB, *, width_mm: float, dashed: bool = False) -> ET.Element:
    """Return the renderer of lines with a dark casing."""
    style = "dash" if dashed else "solid"
    layers = [
        ("SimpleLine", _line(CASING, width_mm + HALO_WIDER_MM, "solid")),
        ("SimpleLine", _line(colour, width_mm, style)),
    ]
    return _single_symbol("line", layers)


def outline_symbol(colour: RGB, *, width_mm: float) -> ET.Element:
    """Return the renderer of polygons drawn as their outlines alone, with a dark casing."""
    layers = [("SimpleFill", _outline(CASING, width_mm + HALO_WIDER_MM)), ("SimpleFill", _outline(colour, width_mm))]
    return _single_symbol("fill", layers)


def hatched_symbol(colour: RGB) -> ET.Element:
    """Return the renderer of polygons filled with diagonal lines."""
    fill = {"color": _colour(colour), "style": "b_diagonal", "outline_style": "no"}
    return _single_symbol("fill", [("SimpleFill", fill)])


def colour_picture(bands: Sequence[int], *, low: float, high: float, gamma: float) -> ET.Element:
    """Return the renderer of a scene: three bands, counted from 1, stretched between two values; gamma lightens.

    Values are those that QGIS reads: reflectance where the file has a scale and an offset, else as stored.
    """
    renderer = raster_renderer("multibandcolor")
    for name, band in zip(("red", "green", "blue"), bands, strict=True):
        renderer.set(f"{name}Band", str(band))
        enhancement = ET.SubElement(renderer, f"{name}ContrastEnhancement")
        for tag, text in (("minValue", f"{low:g}"), ("maxValue", f"{high:g}")):
            ET.SubElement(enhancement, tag).text = text
        ET.SubElement(enhancement, "algorithm").text = "StretchToMinimumMaximum"
    return pipe_of(renderer, gamma=gamma)


def ramp(entries: Sequence[tuple[float, str, RGB]], *, opacity: float) -> ET.Element:
    """Return the renderer of a raster of quantities, coloured between the given values (scale and offset applied)."""
    low, high = entries[0][0], entries[-1][0]
    renderer = raster_renderer(
        "singlebandpseudocolor", band="1", classificationMin=f"{low:g}", classificationMax=f"{high:g}"
    )
    renderer.set("opacity", f"{opacity:g}")
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"), "colorrampshader",
        {"colorRampType": "INTERPOLATED", "classificationMode": "1", "clip": "0",
         "minimumValue": f"{low:g}", "maximumValue": f"{high:g}"},
    )  # fmt: skip
    for value, label, colour in entries:
        item = {"value": f"{value:g}", "label": label, "color": hexadecimal(colour), "alpha": "255"}
        ET.SubElement(shader, "item", item)
    return pipe_of(renderer)


def hillshade() -> ET.Element:
    """Return the renderer of a DEM as shaded relief, lit from the north-west."""
    return pipe_of(raster_renderer("hillshade", band="1", azimuth="315", angle="45", zfactor="1", multidirection="0"))


def _single_symbol(kind: str, layers: Sequence[tuple[str, dict[str, str]]]) -> ET.Element:
    renderer = ET.Element("renderer-v2", {"type": "singleSymbol", "symbollevels": "0", "forceraster": "0"})
    symbols = ET.SubElement(renderer, "symbols")
    symbol = ET.SubElement(symbols, "symbol", {"type": kind, "name": "0", "alpha": "1", "clip_to_extent": "1"})
    for class_name, properties in layers:
        layer = ET.SubElement(symbol, "layer", {"class": class_name, "enabled": "1", "locked": "0", "pass": "0"})
        for key, value in properties.items():
            ET.SubElement(layer, "prop", {"k": key, "v": value})
    return renderer


def _line(colour: RGB, width_mm: float, style: str) -> dict[str, str]:
    return {"line_color": _colour(colour), "line_width": f"{width_mm:g}", "line_width_unit": "MM", "line_style": style}


def _outline(colour: RGB, width_mm: float) -> dict[str, str]:
    return {
        "style": "no", "outline_color": _colour(colour), "outline_width": f"{width_mm:g}", "outline_width_unit": "MM",
        "outline_style": "solid",
    }  # fmt: skip


def _colour(colour: RGB) -> str:
    return ",".join(map(str, (*colour, 255)))
