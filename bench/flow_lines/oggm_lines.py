"""Print the main centreline that OGGM derives for a glacier; runs in an environment of its own, without this project.

    <python with OGGM> bench/flow_lines/oggm_lines.py OUTLINE.shp DEM.tif EPSG:32632

OGGM and salem fetch sample data when they are imported or asked for names of regions: an empty archive and a table of
the two regions stand in, as no line depends on them.
"""

import json
import re
import sys
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

RGI_COLUMNS = {
    "Name": "", "GLIMSId": "", "BgnDate": "20000101", "EndDate": "-9999999", "TermType": 0, "Surging": 0, "Status": 0,
    "Form": 0, "Connect": 0, "Linkages": 0, "RGIFlag": "0000", "Area": 1.0, "O2Region": "1",
}  # fmt: skip
"""Columns that OGGM asks of an outline; those of the file are kept."""


def stand_in_for_sample_data() -> None:
    """Put an empty archive where salem would download one, in the home of this process."""
    texts = "".join(
        Path(str(distribution("salem").locate_file(f"salem/{name}.py"))).read_text() for name in ("__init__", "utils")
    )
    commit = re.search(r"sample_data_gh_commit = '(\w+)'", texts)
    cache = Path.home() / ".salem_cache"
    cache.mkdir(exist_ok=True)
    if commit:
        zipfile.ZipFile(cache / f"salem-sample-data-{commit[1]}.zip", "w").close()


def main_line(outline: Path, dem: Path, crs: str, folder: str) -> list[list[float]]:
    """Return the vertices of OGGM's longest centreline, from head to front, in metres of the CRS."""
    import geopandas
    import pandas
    from oggm import GlacierDirectory, cfg, tasks
    from oggm.utils import _funcs

    cfg.initialize_minimal(logging_level="CRITICAL")
    cfg.PARAMS.update(use_multiprocessing=False, use_rgi_area=False, use_intersects=False)
    cfg.PATHS.update(working_dir=folder, dem_file=str(dem))
    glaciers = geopandas.read_file(outline).to_crs(4326)
    glacier_id = str(glaciers["RGIId"][0])
    region = glacier_id.partition("-")[2][:2]
    names = pandas.DataFrame({"full_name": [region]}, index=[int(region)])
    _funcs._RGI_METADATA[glacier_id[3]] = (names, pandas.DataFrame({"Full_name": [""]}, index=[""]))
    for name, value in (RGI_COLUMNS | {"O1Region": region, "CenLon": 0.0, "CenLat": 0.0}).items():
        if name not in glaciers:
            glaciers[name] = value
    entity = glaciers.iloc[0]
    directory = GlacierDirectory(entity, base_dir=folder, reset=True)
    tasks.define_glacier_region(directory, entity=entity, source="USER")
    tasks.glacier_masks(directory)
    tasks.compute_centerlines(directory)
    columns, rows = directory.read_pickle("centerlines")[-1].line.xy
    x, y = directory.grid.ij_to_crs(columns, rows, crs=crs)
    return [list(map(float, point)) for point in zip(x, y, strict=True)]


if __name__ == "__main__":
    stand_in_for_sample_data()
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(main_line(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], scratch)))
