"""Measures of one year's map: area, ice cover, season, change against another year, and agreement with the truth.

What needs the whole series (trends, gates) belongs elsewhere.
"""
