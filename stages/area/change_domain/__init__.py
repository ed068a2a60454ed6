"""The change product: ice within the ground where glaciers can change, from images alone, and its trend.

The best map of a single year belongs to `year`. The two are never mixed: docs/method.md says in two sentences why.
"""
