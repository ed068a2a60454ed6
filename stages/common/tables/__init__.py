"""Rows and documents that stages hand on, a file a stage, and the kinds of files that contracts name.

Definitions alone: nothing is read or written here.
"""
