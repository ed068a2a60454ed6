"""One year's mask as ground: speckle, owners, outlines, areas on the ellipsoid.

Knows pixels and polygons. Nothing here knows about years, trends or parameters of the run.
"""
