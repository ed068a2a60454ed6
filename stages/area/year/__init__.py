"""What one year's map gives: its area, cover, season, change against another year, and agreement with a truth.

What needs the whole series (trends, gates) belongs elsewhere.
"""
