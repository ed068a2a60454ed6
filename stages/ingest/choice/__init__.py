"""Choose each year's scenes among the candidates of a source, and write the table of reasons.

From the ground up: visibility -> snow -> screening -> choice -> table -> select. Nothing here depends on the source.
"""
