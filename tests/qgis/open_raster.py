"""Open rasters with the system's PyQGIS as a user does, and print how it shows them, as JSON.

Usage: /usr/bin/python3 open_raster.py <raster> ...
"""

import json
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import QgsApplication, QgsRasterLayer


def describe(path):
    """Return the renderer, its band and its classes."""
    layer = QgsRasterLayer(path)
    renderer = layer.renderer()
    listed = renderer.classes() if renderer.type() == "paletted" else []
    classes = [[each.value, each.label, each.color.name()] for each in listed]
    return {"valid": layer.isValid(), "renderer": renderer.type(), "bands": renderer.usesBands(), "classes": classes}


application = QgsApplication([], False)
application.initQgis()
print(json.dumps([describe(path) for path in sys.argv[1:]]))
application.exitQgis()
