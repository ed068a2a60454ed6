"""From pixels of one year's mask to areas on the ground: speckle, owners, outlines, areas on the ellipsoid.

Knows pixels and polygons. Nothing here knows about years, trends or parameters of the run.
"""
