"""Sources of imagery: a user's rasters, SAFE products, STAC catalogues and the simulated twin.

`acquisition` says what a source gives, `choose` returns the source of a site. A source never imports another.
"""
