"""glacier.qgz: the project that QGIS opens, with layers, groups, extent and a time slider over the years."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pyproj import CRS

GEOMETRY_NAMES = {"MultiPolygon": "Polygon", "LineString": "Line"}
SIDES = ("xmin", "ymin", "xmax", "ymax")
ANIMATED = "1"
"""QGIS's number of the navigation mode in which the time slider plays the years."""


@dataclass(frozen=True, kw_only=True)
class MapLayer:
    """A layer of the project."""

    name: str
    """Name in the layer tree, unique in the project."""
    group: str
    source: str
    """Path relative to the project's folder, with the name of the layer where the file has several."""
    style: ET.Element
    """``renderer-v2`` of vectors, ``pipe`` of rasters."""
    geometry: str | None = None
    """Geometry type of vectors; None: a raster."""
    year: int | None = None
    """Year in which the time slider shows a raster; None: always."""
    date_field: str | None = None
    """Field from which the time slider takes the day of a feature; None: it always shows all features."""
    visible: bool = True
    crs: str | None = None
    """CRS of the layer as WKT; None: that of the project."""

    @property
    def identifier(self) -> str:
        """Identifier of the layer in the project; QGIS replaces one of ten letters or fewer."""
        return "glacier_layer_" + "".join(letter if letter.isalnum() else "_" for letter in self.name).lower()

    @property
    def provider(self) -> str:
        """QGIS's name of the library that reads the layer."""
        return "gdal" if self.geometry is None else "ogr"


def project_archive(
    title: str, layers: Sequence[MapLayer], *, crs: str, bounds: tuple[float, float, float, float], years: Sequence[int]
) -> bytes:
    """Return glacier.qgz; layers are drawn in their order, the first on top.

    Parameters
    ----------
    bounds
        What the map shows first: left, bottom, right, top in `crs`.
    """
    document = b"<!DOCTYPE qgis>\n" + ET.tostring(_project(title, layers, crs=crs, bounds=bounds, years=years))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("glacier.qgs"), document, compress_type=zipfile.ZIP_DEFLATED)  # dated 1980
    return stream.getvalue()


def _project(
    title: str, layers: Sequence[MapLayer], *, crs: str, bounds: tuple[float, float, float, float], years: Sequence[int]
) -> ET.Element:
    root = ET.Element("qgis", {"version": "3.22.0", "projectname": title})
    ET.SubElement(root, "title").text = title
    ET.SubElement(root, "projectCrs").append(_reference_system(crs))
    root.append(_tree(layers))
    canvas = ET.SubElement(root, "mapcanvas", {"name": "theMapCanvas"})
    ET.SubElement(canvas, "units").text = "meters"
    extent = ET.SubElement(canvas, "extent")
    for tag, value in zip(SIDES, bounds, strict=True):
        ET.SubElement(extent, tag).text = f"{value:.3f}"
    ET.SubElement(canvas, "rotation").text = "0"
    ET.SubElement(canvas, "destinationsrs").append(_reference_system(crs))
    view = ET.SubElement(root, "ProjectViewSettings", {"UseProjectScales": "0"})
    sides = dict(zip(SIDES, (f"{value:.3f}" for value in bounds), strict=True))
    ET.SubElement(view, "DefaultViewExtent", sides).append(_reference_system(crs))
    collection = ET.SubElement(root, "projectlayers")
    for layer in layers:
        collection.append(_layer(layer, crs))
    order = ET.SubElement(root, "layerorder")
    for layer in layers:
        ET.SubElement(order, "layer", {"id": layer.identifier})
    root.append(_properties(years))
    settings = {"timeStep": "1", "timeStepUnit": "y", "frameRate": "1", "cumulativeTemporalRange": "0"}
    span = ET.SubElement(ET.SubElement(root, "ProjectTimeSettings", settings), "TemporalRange")
    ET.SubElement(span, "start").text, ET.SubElement(span, "end").text = _first(years[0]), _last(years[-1])
    return root


def _reference_system(crs: str) -> ET.Element:
    """Return a CRS as QGIS reads it: as WKT, and with its EPSG code where it has one."""
    element, parsed = ET.Element("spatialrefsys"), CRS.from_user_input(crs)
    ET.SubElement(element, "wkt").text = parsed.to_wkt("WKT2_2019")
    if authority := parsed.to_authority():
        ET.SubElement(element, "authid").text = ":".join(authority)
    return element


def _tree(layers: Sequence[MapLayer]) -> ET.Element:
    """Return the layer tree: a group for each run of layers with the same group."""
    root = ET.Element("layer-tree-group")
    for name, members in groupby(layers, key=lambda layer: layer.group):
        members_list = list(members)
        state = "Qt::Checked" if any(layer.visible for layer in members_list) else "Qt::Unchecked"
        folded = "1" if any(layer.geometry for layer in members_list) else "0"
        group = ET.SubElement(root, "layer-tree-group", {"name": name, "checked": state, "expanded": folded})
        for layer in members_list:
            shown = "Qt::Checked" if layer.visible else "Qt::Unchecked"
            ET.SubElement(
                group, "layer-tree-layer",
                {"id": layer.identifier, "name": layer.name, "source": layer.source, "providerKey": layer.provider,
                 "checked": shown, "expanded": "0"},
            )  # fmt: skip
    return root


def _layer(layer: MapLayer, crs: str) -> ET.Element:
    kind = "raster" if layer.geometry is None else "vector"
    element = ET.Element("maplayer", {"type": kind})
    if layer.geometry is not None:
        element.set("geometry", GEOMETRY_NAMES[layer.geometry])
    ET.SubElement(element, "id").text = layer.identifier
    ET.SubElement(element, "datasource").text = layer.source
    ET.SubElement(element, "layername").text = layer.name
    ET.SubElement(element, "provider", {"encoding": "UTF-8"} if layer.geometry else {}).text = layer.provider
    ET.SubElement(element, "srs").append(_reference_system(layer.crs or crs))
    element.append(_temporal(layer))
    element.append(layer.style)
    return element


def _temporal(layer: MapLayer) -> ET.Element:
    """Return when the time slider shows a layer."""
    active = layer.year is not None or layer.date_field is not None
    element = ET.Element("temporal", {"enabled": str(int(active)), "mode": "0", "fetchMode": "0"})
    if layer.date_field is not None:
        element.set("mode", "1")  # one field of each feature says when it is shown
        element.set("startField", layer.date_field)
        for name, text in {"fixedDuration": "0", "durationUnit": "min", "accumulate": "0", "limitMode": "0"}.items():
            element.set(name, text)
    span = ET.SubElement(element, "fixedRange")
    start, end = ("", "") if layer.year is None else (_first(layer.year), _last(layer.year))
    ET.SubElement(span, "start").text, ET.SubElement(span, "end").text = start, end
    return element


def _properties(years: Sequence[int]) -> ET.Element:
    properties = ET.Element("properties")
    ET.SubElement(ET.SubElement(properties, "Paths"), "Absolute", {"type": "bool"}).text = "false"
    ET.SubElement(ET.SubElement(properties, "SpatialRefSys"), "ProjectionsEnabled", {"type": "int"}).text = "1"
    slider = ET.SubElement(properties, "TemporalControllerWidget")
    ET.SubElement(slider, "NavigationMode", {"type": "int"}).text = ANIMATED
    ET.SubElement(slider, "StartDateTime", {"type": "QString"}).text = _first(years[0])
    ET.SubElement(slider, "EndDateTime", {"type": "QString"}).text = _last(years[-1])
    return properties


def _first(year: int) -> str:
    return f"{year}-01-01T00:00:00Z"


def _last(year: int) -> str:
    return f"{year}-12-31T23:59:59Z"
