"""STAC catalogues over HTTP: search, profiles of the known catalogues, items and reading their assets."""
