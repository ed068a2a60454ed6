"""Results in the formats in which others take them: GLIMS and WGMS (`make submit`), STAC and others (`make share`).

Only what has run is read, through the contracts of the artefacts. What computes a result belongs to a stage.
"""
