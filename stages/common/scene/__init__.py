"""A satellite scene: its bands and masks, how it is stored as STAC, and what its numbers mean.

Where scenes come from belongs to `ingest`; how they are put on the grid to `prepare`.
"""
