"""Compare the derived flow lines of two real glaciers with the main centrelines of OGGM, which no lock contains.

    python -m venv /tmp/oggm
    /tmp/oggm/bin/pip install oggm==1.6.3 salem geopandas rasterio scikit-image
    GLACIER_SAMPLES=<folder> python -m bench.flow_lines --oggm /tmp/oggm/bin/python

Fronts are measured on the lower end of a line: how far the two are apart there is what matters. Their heads differ by
definition: OGGM takes the longest of its lines, and here the line begins at the highest cell of the margin.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import geopandas
import numpy as np
from shapely import LineString, Point

from stages.area.fronts.flow_lines import derive
from stages.area.map.elevation import Elevation
from stages.area.site import AreaSite
from stages.common.geo.grid import snap_grid
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.vectors import pixels_inside
from stages.common.params.area import FrontParams

GLACIERS = {
    "Hintereisferner": ("Hintereisferner_RGI6.shp", "hef_srtm.tif", "EPSG:32632"),
    "Chhota Shigri": ("RGI50-14.15990.shp", "dem_chhota_shigri.tif", "EPSG:32643"),
}
LOWEST_M, STEP_M, PIXEL_M = 2000, 10, 10


def main() -> None:
    """Print a row for each glacier."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oggm", required=True, help="Python of an environment that has OGGM")
    arguments = parser.parse_args()
    samples = Path(os.environ["GLACIER_SAMPLES"]) / "rgi-dem"
    print("                 length, m      distance to OGGM's line, m: lowest 2 km   distance of the")
    print("                 here   OGGM    median    largest                        two fronts, m")
    for name, (outline, dem, crs) in GLACIERS.items():
        line = line_here(samples / outline, samples / dem, crs)
        oggm = line_of_oggm(arguments.oggm, samples / outline, samples / dem, crs)
        distances = [line.interpolate(line.length - up).distance(oggm) for up in range(0, LOWEST_M, STEP_M)]
        fronts = Point(line.coords[-1]).distance(Point(oggm.coords[-1]))
        apart = f"{np.median(distances):>6.0f}    {max(distances):>6.0f}"
        print(f"{name:<16} {line.length:.0f}  {oggm.length:>5.0f}   {apart}                          {fronts:>6.0f}")


def line_here(outline: Path, dem: Path, crs: str) -> LineString:
    """Return the flow line that `area` derives on pixels of 10 m, without its extension."""
    shape = geopandas.read_file(outline).to_crs(crs).geometry[0]
    left, bottom, right, top = shape.buffer(500).bounds
    grid = snap_grid((left, bottom, right, top), crs=crs, pixel_size_m=PIXEL_M, origin_m=(0, 0))
    inside = pixels_inside([shape], grid)
    site = AreaSite(
        grid=grid, aoi=~Bits(grid.shape), prior=Bits.of(inside), owner=Plane.of(None, inside.astype(np.uint16)),
        glaciers=[], outlines_km2=np.array([0.0, 1.0]), aoi_km2=1.0, outlines=None,
    )  # fmt: skip
    return LineString(derive(site, 1, Elevation.read(dem), FrontParams(extension_m=0)).line)


def line_of_oggm(python: str, outline: Path, dem: Path, crs: str) -> LineString:
    """Return the main centreline of OGGM, made by another Python in a home of its own."""
    script = Path(__file__).parent / "oggm_lines.py"
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [python, str(script), str(outline), str(dem), crs], check=True, stdout=subprocess.PIPE, text=True,
            env={"HOME": home, "PATH": os.environ["PATH"]},
        )  # fmt: skip
    return LineString(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
