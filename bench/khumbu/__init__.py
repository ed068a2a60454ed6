"""Seasonal snow in the four seasons of Khumbu: `python -m bench.khumbu`."""
