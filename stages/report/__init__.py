"""Draw the graph, the time-lapse, the gallery and the HTML page.

Numbers come from `area` and `evaluate`; nothing is measured here.
"""
