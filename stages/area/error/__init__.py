"""Errors of one year's area: delineation by the buffer method, the model's own error, and the interval of both.

Errors of a change or a trend belong to `year` and `trends`.
"""
