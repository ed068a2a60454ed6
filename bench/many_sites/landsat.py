"""Twins as Landsat 7 shows them in 8 bits, for a site like sites/everest: red, green and blue, saturated on snow.

A twin is rendered in Sentinel-2's bands of the same colours at the site's pixels, turned into the numbers that ETM+
delivers in high gain, and goes through the stages as a file of the user's own. Its glaciers neither retreat nor change,
so that the outlines of 2000 are of the scene's year, as those of Everest are.

    GLACIER_SAMPLES=<folder> python -m bench.many_sites.landsat DIR    # numbers of the twins there, and of Everest
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import yaml

from bench.everest_protocol import read_scene_and_labels
from stages.common.geo.raster import read_band
from stages.common.params.prepare import PrepareParams
from stages.common.params.schema import Params
from stages.common.params.section import Section
from stages.patches.contract import CONTRACT as PATCHES
from stages.patches.cut import cut_patches
from versions.starting_model.params import StartParams, params_like, params_of_twin
from versions.starting_model.twins import make_site, run_in_process

COLOURS = {"red": "B04", "green": "B03", "blue": "B02"}


class Channel(Section):
    """From reflectance to the numbers of a band of ETM+ in high gain, the sun 45 degrees high."""

    saturation: float
    """Reflectance at the top of the atmosphere that 255 stands for: pi L d2 / (E sin 45), L and E of Chander et al.
    2009 (Remote Sens. Environ. 113, tables 4 and 5), d2 = 0.986 of 30 October."""
    path: float
    """Reflectance of the air above 5,000 m, beyond the haze that the twin has already; set by eye on shadows."""

    def numbers(self, reflectance: np.ndarray) -> np.ndarray:
        """Return uint8 numbers, 1 to 255; 0 stays for pixels without data."""
        dn = 255 * (reflectance + self.path) / self.saturation + DARK
        return np.clip(np.rint(dn), 1, 255).astype(np.uint8)


DARK = 8
"""Number at radiance 0."""

CHANNELS = {
    "red": Channel(saturation=0.437, path=0.015),
    "green": Channel(saturation=0.475, path=0.025),
    "blue": Channel(saturation=0.420, path=0.045),
}


def make_twin_like(like: Params, seed: int, years: Sequence[int], site: Path, scratch: Path) -> None:
    """Make the site of a seed with its patches, in bands, storage and pixels of `like`."""
    start = start_like(like, seed, years)
    rendered = params_of_twin(start, seed)
    rendered["ingest"]["twin"] |= {"retreat_m_per_year": 0.0, "debris_growth_km2_per_year": 0.0, "cloudy_years": []}
    shutil.rmtree(scratch, ignore_errors=True)
    make_site(scratch, rendered, years)
    scenes = [write_rgb(scratch / f"artifacts/prepare/{year}/scene.tif", scratch / f"{year}.tif") for year in years]
    make_site(site, as_files(like, rendered, scenes, scratch / "data/outlines.gpkg"), years)
    with contextlib.chdir(site):
        run_in_process(PATCHES, cut_patches, *years)
    content = yaml.safe_load((site / "params.yaml").read_text(encoding="utf-8")) | {"site": rendered["site"]}
    (site / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")  # other ground than that of the others
    shutil.rmtree(scratch)


def start_like(like: Params, seed: int, years: Sequence[int]) -> StartParams:
    """Return the parameters of the rendered twin: the bands of Sentinel-2, and labels as of the scene's own year."""
    values = params_like(like, [seed], years).model_dump()
    bands = [COLOURS[name] for name in like.prepare.bands]
    return StartParams.model_validate(
        values
        | {
            "prepare": PrepareParams(bands=bands, storage="sentinel2").model_dump(),
            "labels": {"boundary_ignore_m": 0, "terminus_ignore_m": 0},
            "patches": values["patches"] | {"stride_px": like.patches.size_px // 2},
        }
    )


def write_rgb(prepared: Path, out: Path) -> Path:
    """Write a prepared scene of a twin as Landsat's 8-bit numbers; return the file."""
    names = {band: colour for colour, band in COLOURS.items()}
    with rasterio.open(prepared) as dataset:
        has_data = dataset.read() != 0
        reflectance = dataset.read() * dataset.scales[0] + dataset.offsets[0]
        profile = {"driver": "GTiff", "crs": dataset.crs, "transform": dataset.transform, "dtype": "uint8", "nodata": 0}
        pixels = np.stack(
            [CHANNELS[names[band]].numbers(each) for band, each in zip(dataset.descriptions, reflectance, strict=True)]
        )
    pixels[~has_data] = 0
    count, height, width = pixels.shape
    with rasterio.open(out, "w", **profile, count=count, height=height, width=width) as dataset:
        dataset.write(pixels)
    return out


def as_files(like: Params, rendered: dict[str, Any], scenes: Sequence[Path], outlines: Path) -> dict[str, Any]:
    """Return params.yaml of a site whose scenes are these files."""
    bands = list(like.prepare.bands)
    listed = [
        {"path": str(path), "date": f"{path.stem}-10-30", "bands": bands, "processing_level": "L1TP"} for path in scenes
    ]
    ingest = {
        "source": "raster",
        "raster": {"scenes": listed},
        "outlines": {"path": str(outlines)},
        "aoi": rendered["ingest"]["aoi"],
    }
    return rendered | {
        "site": rendered["site"] | {"simulated": False},  # `ingest` takes files for measurements
        "ingest": ingest,
        "prepare": like.prepare.model_dump(mode="json"),
        "report": {"rgb": bands},
    }


def main() -> int:
    """Print what the numbers of all twins in a folder are like, and those of Everest; return 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the twins")
    scenes = sorted(parser.parse_args().folder.glob("*/artifacts/prepare/*/scene.tif"))
    with contextlib.ExitStack() as files:
        pixels = [np.moveaxis(files.enter_context(rasterio.open(path)).read(), 0, -1) for path in scenes]
    labels = [read_band(path.parents[2] / "labels/glacier.tif") for path in scenes]
    print_numbers("twins", np.concatenate([each.reshape(-1, 3) for each in pixels]), np.concatenate(labels, axis=None))
    everest, glacier = read_scene_and_labels()
    print_numbers("Everest", everest.reshape(-1, 3), glacier.astype(np.uint8).ravel())
    return 0


def print_numbers(name: str, pixels: np.ndarray, label: np.ndarray) -> None:
    """Print mean, deviation and saturated share of pixels (N, 3) on ice (label 1) and off it (0)."""
    print(f"{name}: {100 * float((label == 1).mean()):.0f} % ice")
    for words, where in (("ice", label == 1), ("no ice", label == 0)):
        mean, std = (np.round(each).astype(int).tolist() for each in (pixels[where].mean(0), pixels[where].std(0)))
        white = 100 * float((pixels[where] == 255).all(axis=-1).mean())
        print(f"  {words}: mean {mean}, standard deviation {std}, {white:.0f} % saturated in all bands")


if __name__ == "__main__":
    raise SystemExit(main())
