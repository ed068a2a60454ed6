"""Sources of imagery: a user's rasters, SAFE products, STAC catalogues and the simulated twin.

`acquisition` says what a source gives, `choose` which one a site uses. A source never imports another.
"""
