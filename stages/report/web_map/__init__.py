"""The map on the page: pictures, outlines and series as one document that its script reads.

Coordinates are whole metres east and north of the grid's lower left corner. Leaflet (`vendored`) draws them.
"""
