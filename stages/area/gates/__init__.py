"""Sanity gates on the areas, and the drift of a year's input against the training data.

A gate returns a finding; the stage `gate` decides whether the run fails.
"""
