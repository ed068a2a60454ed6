"""Small sites and local servers that tests and benchmarks share.

Nothing of the pipeline imports this package; what only tests need is in `tests`.
"""
