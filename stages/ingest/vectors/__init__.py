"""Outlines and flow lines as a user gives them, checked and written as ``data/`` holds them."""
