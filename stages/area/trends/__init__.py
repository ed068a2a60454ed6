"""Trends of the series of years: slope, test and the sentence that states them.

Arithmetic on numbers of years. No raster is read here.
"""
