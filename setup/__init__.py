"""Everything before a site's first `make ingest`: `make site` writes a new site, `make doctor` says what is missing.

What a stage reads or writes does not belong here; neither does anything about versions of a site that has run.
"""
