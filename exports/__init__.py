"""Results in the formats in which glaciologists hand on their work: GLIMS and WGMS (`make submit`).

Only what has run is read, through the contracts of the artefacts. What computes a result belongs to a stage.
"""
