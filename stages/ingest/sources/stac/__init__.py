"""STAC catalogues over HTTP: search, profiles of the catalogues, their items, and reading their files."""
