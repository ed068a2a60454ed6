"""Glacier fronts: their position along a flow line in each year, and their retreat.

The flow lines are derived here where none are given. Areas belong to `year`.
"""
