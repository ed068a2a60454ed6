"""Rows of the tables that `area` writes, and the digits that they carry.

Nothing is measured here.
"""
