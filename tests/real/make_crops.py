"""Make the crops of this folder again: GLACIER_SAMPLES=<the whole samples> python -m tests.real.make_crops [folder].

A crop has the path that the whole has, so that a test finds either. README.md names sources and licences, whose texts
are kept by hand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import geopandas
import numpy as np
import pandas
import rasterio
import rasterio.warp
from rasterio.windows import Window, from_bounds

from stages.common.settings import SAMPLES

KHUMBU = Window(28, 148, 64, 64)
"""Columns and rows of the four seasons: ice and slopes that have snow in every season."""
EVEREST_MARGIN_PX = 16
"""The Landsat crop is the surroundings of the Khumbu crop, this much wider on each side."""
SAFE_WINDOWS_60M = (
    (Window(6, 206, 68, 68), ("B02", "B03", "B04", "B11", "SCL")),  # clear land
    (Window(1066, 784, 108, 108), ("B11", "SCL")),  # the swath's edge
    (Window(320, 192, 64, 64), ("B02", "B03", "B04")),  # 2 % of B02 is negative
)
"""What is kept of a product's pixels: columns and rows of 60 m, and the bands."""
SAFE_BANDS = ("B02", "B03", "B04", "B11")
SAFE_PRODUCTS = ("*[!8].SAFE", "*248.SAFE", "*658.SAFE", "*T34VEL")
"""Products whose metadata are kept: one of each baseline and level, and a tile as it stands alone on AWS."""
SPECTRA_STEP = 12
"""Every twelfth of the measured spectra is kept, and all of shadowed snow, of which there are few."""
SHADOWED_SNOW = "2"
RGI_MARGIN_M = 1000
LONG_ELEMENTS = (
    "Sun_Angles_Grid", "Viewing_Incidence_Angles_Grids", "Mean_Viewing_Incidence_Angle_List",
    "Spectral_Information_List", "Solar_Irradiance_List", "Scene_Classification_List", "GIPP_List", "Granule_List",
    "Technical_Quality_Assessment", "Quality_Control_Checks", "Cloud_Coverage_Assessment_List",
)  # fmt: skip
"""The long parts of a product's XML, which nothing here reads; they are cut out."""
ASSETS = ("blue", "red", "swir16")


def main() -> None:
    """Write every crop below a folder, this one where none is named."""
    os.environ["OGR_CURRENT_DATE"] = "2024-01-01T00:00:00Z"  # a GeoPackage holds the time of writing
    samples = Path(os.environ[SAMPLES])
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent
    crop_khumbu(samples / "khumbu-sentinel2", folder / "khumbu-sentinel2")
    crop_everest(samples, folder / "everest-landsat7")
    crop_rgi(samples / "rgi-dem", folder / "rgi-dem")
    crop_safe(samples / "safe-l2a", folder / "safe-l2a")
    for product in SAFE_PRODUCTS:
        for path in sorted((samples / "safe-metadata").glob(f"{product}/expected_output.json")):
            crop_metadata(path.parent, folder / "safe-metadata" / path.parent.name)
    thin_spectra(samples / "spectra/Sentinel-2_SR_training_data.csv", folder / "spectra")
    for name in (
        "stac-items/earth-search-v1_S2A_39QTA_20230628_0_L2A.json",
        "stac-items/S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531.json",
        "cog-l2a/S2A_29RKH_20200219_0_L2A.json",
    ):
        write_json(folder / name, json.loads((samples / name).read_text()))
    shutil.copytree(
        samples / "gangotri-aoi", folder / "gangotri-aoi", dirs_exist_ok=True, copy_function=shutil.copyfile,
        ignore=shutil.ignore_patterns("*.dbf"),
    )  # fmt: skip


def crop_raster(source: Path, target: Path, window: Window, **profile: object) -> None:
    """Write a window of a raster as a compressed GeoTIFF, bands and their names kept."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(source) as whole:
        size = {
            "width": window.width,
            "height": window.height,
            "transform": whole.window_transform(window),
            "blockysize": window.height,
        }
        settings = {key: whole.profile[key] for key in ("crs", "dtype", "count", "nodata")}
        with rasterio.open(
            target, "w", driver="GTiff", compress="deflate", zlevel=9, **settings, **size, **profile
        ) as crop:
            crop.write(whole.read(window=window))
            crop.descriptions = whole.descriptions


def crop_khumbu(source: Path, target: Path) -> None:
    for path in sorted(source.glob("*.tif")):
        crop_raster(path, target / path.name, KHUMBU, predictor=1, interleave="band")


def crop_everest(samples: Path, target: Path) -> None:
    """Write the Landsat scene around the Khumbu crop, and the outlines that touch it."""
    with rasterio.open(samples / "khumbu-sentinel2/s2_l2a_summer_2024.tif") as season:
        bounds = rasterio.warp.transform_bounds(season.crs, "EPSG:32645", *season.window_bounds(KHUMBU))
    source = samples / "everest-landsat7/LE71400412000304SGS00_RGB.tif"
    with rasterio.open(source) as scene:
        around = from_bounds(*bounds, scene.transform).round()
        margin = EVEREST_MARGIN_PX
        window = Window(
            around.col_off - margin, around.row_off - margin, around.width + 2 * margin, around.height + 2 * margin
        )
        left, bottom, right, top = scene.window_bounds(window)
    crop_raster(source, target / source.name, window, predictor=2, interleave="band")
    outlines = geopandas.read_file(samples / "everest-landsat7/15_rgi60_glacier_outlines.gpkg")
    inside = outlines.to_crs("EPSG:32645").intersects(geopandas.points_from_xy([left], [bottom])[0].union(
        geopandas.points_from_xy([right], [top])[0]).envelope)  # fmt: skip
    path = target / "15_rgi60_glacier_outlines.gpkg"
    path.unlink(missing_ok=True)
    outlines[inside].to_file(path, SPATIAL_INDEX="NO")


def crop_rgi(source: Path, target: Path) -> None:
    """Write the two outlines as they are, and their elevation models around them."""
    for outline, dem in (("Hintereisferner_RGI6", "hef_srtm"), ("RGI50-14.15990", "dem_chhota_shigri")):
        frame = geopandas.read_file(source / f"{outline}.shp")
        metres = frame.to_crs(frame.estimate_utm_crs()).buffer(RGI_MARGIN_M)
        with rasterio.open(source / f"{dem}.tif") as whole:
            window = from_bounds(*metres.to_crs(whole.crs).total_bounds, whole.transform).round().intersection(
                Window(0, 0, whole.width, whole.height)
            )  # fmt: skip
        crop_raster(source / f"{dem}.tif", target / f"{dem}.tif", window, predictor=2)
        for path in source.glob(f"{outline}.*"):
            shutil.copyfile(path, target / path.name)


def crop_safe(source: Path, target: Path) -> None:
    """Write the product's layout with its metadata, and images that are 0 outside the windows."""
    (product,) = source.glob("*.SAFE")
    (granule,) = product.glob("GRANULE/L2A_*")
    for path in (product / "MTD_MSIL2A.xml", granule / "MTD_TL.xml"):
        write_xml(path, target / path.relative_to(source))
    images = [path for band in (*SAFE_BANDS, "SCL") for path in granule.glob(f"IMG_DATA/R60m/*_{band}_60m.jp2")]
    masks = [path for band in SAFE_BANDS for path in granule.glob(f"QI_DATA/MSK_*_{band}.jp2")]
    for path in images + masks:
        blank_outside(path, target / path.relative_to(source))


def blank_outside(source: Path, target: Path) -> None:
    """Copy an image without loss, with 0 outside the windows, at its own size and place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(source) as whole:
        pixels = np.zeros((whole.count, *whole.shape), dtype=whole.dtypes[0])
        factor = round(60 / whole.res[0])
        for window, bands in SAFE_WINDOWS_60M:
            if not any(f"_{band}" in source.name for band in bands):
                continue
            rows = slice(window.row_off * factor, (window.row_off + window.height) * factor)
            columns = slice(window.col_off * factor, (window.col_off + window.width) * factor)
            part = Window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
            pixels[:, rows, columns] = whole.read(window=part)
        profile = {key: whole.profile[key] for key in ("width", "height", "count", "dtype", "crs", "transform")}
        options = {
            "QUALITY": "100",
            "REVERSIBLE": "YES",
            "BLOCKXSIZE": "10980",
            "BLOCKYSIZE": "10980",
            "RESOLUTIONS": "6",
        }
        with rasterio.open(target, "w", driver="JP2OpenJPEG", **profile, **options) as crop:
            crop.write(pixels)
    target.with_name(f"{target.name}.aux.xml").unlink(missing_ok=True)


def crop_metadata(source: Path, target: Path) -> None:
    """Write a product's XML without its long parts, and of its STAC item the properties and three assets."""
    for path in [*source.glob("MTD_MSIL*.xml"), *source.glob("GRANULE/*/MTD_TL.xml"), *source.glob("metadata.xml")]:
        write_xml(path, target / path.relative_to(source))
    item = json.loads((source / "expected_output.json").read_text())
    item["assets"] = {key: asset for key, asset in item["assets"].items() if key in ASSETS}
    write_json(target / "expected_output.json", item)


def write_xml(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text(encoding="utf-8")
    for name in LONG_ELEMENTS:
        text = re.sub(rf"<(?:\w+:)?{name}\b(?:[^>]*/>|.*?</(?:\w+:)?{name}>)", "", text, flags=re.DOTALL)
    target.write_text(re.sub(r">\s+<", "><", text), encoding="utf-8")


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


def thin_spectra(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = pandas.read_csv(source, dtype=str)
    columns = ["class", "B2", "B3", "B4", "B8", "B11", "B12"]
    chosen = (table.index % SPECTRA_STEP == 0) | (table["class"] == SHADOWED_SNOW)
    table.loc[chosen, columns].to_csv(folder / source.name, index=False)


if __name__ == "__main__":
    main()
