"""What the report and the comparison of two versions draw with: figures, painted maps, and parts of their pages.

The only place of `stages.common` that imports matplotlib, inside functions; of all stages only `report` reaches it.
"""
