"""A QGIS project of the results and a GeoPackage of the series: glacier.qgz and series.gpkg, opened with one click.

The project holds relative paths alone, so that a site's folder can be moved; the rasters stay where they are.
"""
