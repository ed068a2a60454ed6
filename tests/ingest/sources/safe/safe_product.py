"""A made-up Sentinel-2 product over the site of `sandbox.tiny`: real names and metadata, small images."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import yaml
from affine import Affine

from sandbox import tiny
from stages.ingest.sources.safe.metadata import BANDS

PRODUCT = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{level}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{level}.xsd">
  <n1:General_Info>
    <Product_Info>
      <PRODUCT_START_TIME>{day}T05:26:41.024Z</PRODUCT_START_TIME>
      <PRODUCT_URI>{name}.SAFE</PRODUCT_URI>
      <PROCESSING_LEVEL>Level-{level}</PROCESSING_LEVEL>
      <PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
      <Datatake><SPACECRAFT_NAME>Sentinel-2A</SPACECRAFT_NAME><SENSING_ORBIT_NUMBER>{orbit}</SENSING_ORBIT_NUMBER></Datatake>
    </Product_Info>
    <Product_Image_Characteristics>
      <{prefix}QUANTIFICATION_VALUE unit="none">10000</{prefix}QUANTIFICATION_VALUE>
      {offsets}
    </Product_Image_Characteristics>
  </n1:General_Info>
</n1:Level-{level}_User_Product>
"""

TILE = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{level}_Tile_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-{level}_Tile_Metadata.xsd">
  <n1:General_Info>
    <TILE_ID>S2A_OPER_MSI_L{level}_TL_ATOS_20221005T164454_A038058_T{tile}_N{baseline}</TILE_ID>
    <SENSING_TIME>{day}T05:36:49.581767Z</SENSING_TIME>
  </n1:General_Info>
  <n1:Geometric_Info><Tile_Angles><Mean_Sun_Angle><ZENITH_ANGLE unit="deg">40.5</ZENITH_ANGLE>
    <AZIMUTH_ANGLE unit="deg">160.25</AZIMUTH_ANGLE></Mean_Sun_Angle></Tile_Angles></n1:Geometric_Info>
  <n1:Quality_Indicators_Info><Pixel_Level_QI>{masks}</Pixel_Level_QI></n1:Quality_Indicators_Info>
</n1:Level-{level}_Tile_ID>
"""


def write_product(
    folder: Path, day: str, *, level: str = "2A", baseline: str = "05.00", orbit: int = 5, tile: str = "44RLV",
    offset: int | None = -1000, left: float = tiny.LEFT, scl: np.ndarray | None = None, bands: tuple[str, ...] = BANDS,
    dn: int = 3000, masks: dict[str, np.ndarray] | None = None,
) -> Path:  # fmt: skip
    """Write ``S2A_….SAFE`` with images of `dn` everywhere, and return its folder.

    `masks` are (layers, H, W) by name, as ``MSK_DETFOO_B03``; without any, polygons are named, as in old baselines.
    """
    stamp = day.replace("-", "")
    name = f"S2A_MSIL{level}_{stamp}T052641_N{baseline.replace('.', '')}_R{orbit:03d}_T{tile}_{stamp}T101010"
    safe = folder / f"{name}.SAFE"
    granule = safe / f"GRANULE/L{level}_T{tile}_A038058_{stamp}T052644"
    tag, prefix = ("BOA_ADD_OFFSET", "BOA_") if level == "2A" else ("RADIO_ADD_OFFSET", "")
    offsets = "" if offset is None else "".join(
        f'<{tag} band_id="{index}">{offset}</{tag}>' for index in range(len(BANDS))
    )  # fmt: skip
    named = [f"{name}.jp2" for name in masks] if masks else ["MSK_DETFOO_B01.gml"]
    lines = "".join(f"<MASK_FILENAME>{granule.relative_to(safe)}/QI_DATA/{name}</MASK_FILENAME>" for name in named)
    fields = {"level": level, "day": day, "name": name, "baseline": baseline, "orbit": orbit, "prefix": prefix,
             "offsets": offsets, "tile": tile, "masks": lines}  # fmt: skip
    granule.mkdir(parents=True)
    (safe / f"MTD_MSIL{level}.xml").write_text(PRODUCT.format(**fields))
    (granule / "MTD_TL.xml").write_text(TILE.format(**fields))
    base = f"T{tile}_{stamp}T052641"
    fine = {"B02": 10, "B03": 10, "B04": 10, "B08": 10}
    for band in bands:
        size = fine.get(band, 20)
        image = f"{base}_{band}.jp2" if level == "1C" else f"R{size}m/{base}_{band}_{size}m.jp2"
        write_jp2(granule / "IMG_DATA" / image, np.full((160, 160), dn, np.uint16), left=left)
    for mask, layers in (masks or {}).items():
        write_jp2(granule / f"QI_DATA/{mask}.jp2", layers, left=left)
    if level == "2A":
        classes = np.full((160, 160), 5, np.uint8) if scl is None else scl
        write_jp2(granule / f"IMG_DATA/R20m/{base}_SCL_20m.jp2", classes, left=left)
    return safe


def write_jp2(path: Path, pixels: np.ndarray, *, left: float = tiny.LEFT) -> None:
    """Write (H, W) or (layers, H, W); whatever the number of pixels, they cover 160 by 160 of the site's."""
    layers = pixels if pixels.ndim == 3 else pixels[None]
    size = tiny.PIXEL_M * 160 / layers.shape[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", height=layers.shape[1], width=layers.shape[2], count=layers.shape[0],
        dtype=layers.dtype, crs=tiny.CRS, transform=Affine(size, 0, left, 0, -size, tiny.TOP), quality="100",
        reversible="yes",
    ) as out:  # fmt: skip
        out.write(layers)


def zip_product(safe: Path, into: Path, *, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Pack a product as the Data Space does: one folder in a zip."""
    path = into / f"{safe.stem}.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(safe.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(safe.parent))
    return path


def params(
    folder: Path, years: list[int], *, bands: tuple[str, ...] = ("B03", "B04", "B11"), **safe: Any
) -> dict[str, Any]:
    """Parameters of the made-up site with this source."""
    content = tiny.params(folder, years)
    content["ingest"] |= {
        "source": "safe",
        "safe": {"folder": str(folder), **safe},
        "season": {"first": "09-20", "last": "11-10"},
    }
    content["prepare"] = {"bands": list(bands), "storage": "sentinel2"}
    content["report"] = {"rgb": list(bands[:3])}
    del content["ingest"]["raster"]
    return content


def make_site(folder: Path, days: list[str], **safe: Any) -> dict[str, Any]:
    """A site's folder with a product a day in ``source/``; returns its parameters, written as params.yaml."""
    source = folder / "source"
    source.mkdir(parents=True)
    for day in days:
        write_product(source, day)
    tiny.write_outlines(source / "outlines.gpkg")
    content = params(Path("source"), sorted({int(day[:4]) for day in days}), **safe)
    tiny.write_params(folder, content)
    return content


def load(folder: Path) -> dict[str, Any]:
    """Parameters of a site's folder."""
    return dict(yaml.safe_load((folder / "params.yaml").read_text()))
