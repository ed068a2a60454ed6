"""Measure glacier area per year from the maps, with its uncertainty, trends, fronts and sanity gates.

From the ground up: map -> site -> error -> year -> {trends, gates} -> {fronts, tables} -> change_domain -> measure.
"""
