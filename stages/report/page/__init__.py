"""The HTML page: its tables and the template that holds them.

Pictures are drawn in `stages.report.pictures`.
"""
