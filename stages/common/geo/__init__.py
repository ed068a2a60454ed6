"""Grids, rasters and vectors: reading and writing them, and the ground area of a pixel.

The only place that opens a raster of the pipeline. Nothing here depends on stages, scenes or models.
"""
