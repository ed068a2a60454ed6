"""Rows of the tables that `area` writes, and the decimals that they carry.

Nothing is measured here.
"""
