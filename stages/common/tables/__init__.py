"""Rows and documents that stages exchange, by stage and topic, and the kinds of files that contracts name.

Only definitions: nothing is read or written here.
"""
