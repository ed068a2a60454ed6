"""From pixels of one year's mask to areas on the ground: speckle, owners, outlines, areas on the ellipsoid.

Pixels and polygons only: nothing here depends on years, trends or parameters of the run.
"""
