"""Glacier fronts: their position along a flow line in each year, and their retreat.

Flow lines are derived here where the site has none. Areas belong to `year`.
"""
