"""What the shell says and a stage does not listen to: a result follows from parameters and data alone."""

from __future__ import annotations

import os
import re

GDAL_OPTIONS = re.compile(r"(GDAL_TIFF|GDAL_GEOREF|GDAL_PAM|GTIFF|TIFF|OGR|OSR)_.+|PROJ_NETWORK|.+_OVERVIEW")
"""Names of the options of GDAL and PROJ that change the bytes of rasters and vectors, or which grids PROJ shifts by.
Not among them: where their data, certificates and proxies are, threads and caches."""


def set_gdal_options_aside() -> list[str]:
    """Remove from the environment what would change the bytes that GDAL writes, and return the names."""
    names = [name for name in sorted(os.environ) if GDAL_OPTIONS.fullmatch(name)]
    for name in names:
        os.environ.pop(name)
    return names
