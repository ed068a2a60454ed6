"""Sentinel-2 SAFE products in a local folder: finding them, their metadata and quality masks."""
