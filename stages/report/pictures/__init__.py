"""Graphs, maps and the time-lapse as PNG and GIF bytes.

The only place of the stages that imports matplotlib and pillow.
"""
