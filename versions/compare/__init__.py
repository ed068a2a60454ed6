"""Compare two versions of a site: their maps, areas, scores and models (`make compare`).

Reads versions; changes none.
"""
