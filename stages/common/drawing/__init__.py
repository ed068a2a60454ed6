"""What the report and the comparison of two versions draw with: figures, painted maps, and parts of their pages.

The only place of `stages.common` that imports matplotlib, inside functions; of the pipeline's stages only `report`
reaches it. `ingest` takes a style for QGIS from it.
"""
