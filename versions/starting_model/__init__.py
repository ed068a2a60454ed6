"""A model that sites start from (`train.initial_model`): twins by their seeds, and one training on the patches of all.

The pipelines are in `models/`; nothing here knows a site.
"""
