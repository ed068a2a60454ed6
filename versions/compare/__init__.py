"""Compare two versions of a site: their maps, areas, scores and models (`make compare`).

Versions are only read here.
"""
