"""Derived flow lines beside those of OGGM."""
