"""Open a QGIS project without a screen, with the system's PyQGIS; print what it holds as JSON and draw two pictures.

Usage: /usr/bin/python3 open_project.py <glacier.qgz> <picture.png> <picture of the last year.png>
"""

import json
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import (
    QgsApplication,
    QgsDateTimeRange,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QSize, Qt, QTime

WIDTH = 1000


def describe(layer):
    """Return what a layer is and whether QGIS can draw it."""
    renderer = layer.renderer()
    temporal = layer.temporalProperties()
    vector = layer.type() == layer.VectorLayer
    return {
        "name": layer.name(), "valid": layer.isValid(), "crs": layer.crs().authid(), "source": layer.source(),
        "renderer": renderer.type() if renderer else None, "temporal": temporal.isActive(),
        "features": layer.featureCount() if vector else None,
        "fields": [field.name() for field in layer.fields()] if vector else [],
        "style": layer.loadDefaultStyle()[1] if vector else None,
    }  # fmt: skip


def draw(project, path, year=None):
    """Draw the visible layers over the project's extent; with `year`, as the time slider does."""
    settings = QgsMapSettings()
    settings.setLayers([node.layer() for node in project.layerTreeRoot().findLayers() if node.isVisible()])
    settings.setDestinationCrs(project.crs())
    extent = project.viewSettings().defaultViewExtent()
    extent.grow(500)
    settings.setExtent(extent)
    settings.setOutputSize(QSize(WIDTH, round(WIDTH * extent.height() / extent.width())))
    if year is not None:
        settings.setIsTemporal(True)
        first, last = (QDateTime(QDate(year, *day), QTime(0, 0), Qt.UTC) for day in ((1, 1), (12, 31)))
        settings.setTemporalRange(QgsDateTimeRange(first, last))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(path)


def main(path, picture, last_picture):
    """Open the project and report on it."""
    application = QgsApplication([], False)
    application.initQgis()
    project = QgsProject.instance()
    opened = project.read(path)
    times = project.timeSettings()
    draw(project, picture)
    draw(project, last_picture, times.temporalRange().end().date().year())
    report = {
        "opened": opened, "title": project.title(), "crs": project.crs().authid(),
        "layers": [describe(node.layer()) for node in project.layerTreeRoot().findLayers()],
        "groups": [group.name() for group in project.layerTreeRoot().findGroups()],
        "begin": times.temporalRange().begin().toString(Qt.ISODate),
        "end": times.temporalRange().end().toString(Qt.ISODate),
        "step": times.timeStep(), "unit": int(times.timeStepUnit()),
        "absolute_paths": project.readBoolEntry("Paths", "/Absolute")[0],
        "slider": project.readNumEntry("TemporalControllerWidget", "/NavigationMode")[0],
    }  # fmt: skip
    print(json.dumps(report))
    application.exitQgis()


main(*sys.argv[1:])
