"""Write ``data/`` from a source of imagery: scenes of each year, outlines, AOI and auxiliary data.

Not a stage of the DAG. From the ground up: {vectors, sources} -> choice -> series -> ingest.
"""
