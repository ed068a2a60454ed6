"""A person looks at the maps: a page to look at, and what the person decided, checked and kept with the data.

Nothing is computed from it here: the stages read the review as any other part of ``data/``.
"""
