"""Trends over the years: slope, significance test, and the sentence that states them.

Arithmetic on numbers of years. No raster is read here.
"""
