"""A page with a map: what the report, `make review` and `make compare` share of it.

Its page, style and scripts (`templates`), Leaflet as published (`vendored`), and scenes, outlines and areas as the
map's document holds them. Coordinates are whole metres east and north of the grid's lower left corner.
"""
