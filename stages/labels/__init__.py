"""Burn glacier outlines into label and glacier-id rasters, with ignore bands."""
