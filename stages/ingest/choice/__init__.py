"""Choose each year's scenes among the candidates of a source, and write the table that says why.

Nothing here knows where a candidate comes from.
"""
