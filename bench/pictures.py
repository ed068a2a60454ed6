"""Pictures of the documents: docs/demo.png, docs/twin.png with two real scenes beside the demo's, docs/everest.png.

    GLACIER_SAMPLES=<folder> python -m bench.pictures

Run `make demo` and `make repro SITE=everest` before.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from bench.samples import samples_folder
from stages.common.run.records import file_md5

SIDE_PX, GAP_PX, CAPTION_PX = 620, 8, 30
DEMO, TWIN, EVEREST = Path("docs/demo.png"), Path("docs/twin.png"), Path("docs/everest.png")
DEMO_WIDTH_PX, EVEREST_WIDTH_PX = 1500, 1200

METRICS_NOTE = "MD5 of metrics/area.json"
"""A picture of other results than those whose metrics git holds fails a test."""

GALLERY_FIRST_ROW_PX = 530
"""Height of the banner, the title and the first year of the gallery."""


def main() -> None:
    """Write the three pictures."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    samples = samples_folder()
    write_demo_picture()
    write_twin_picture(samples)
    write_everest_picture(Path("sites/everest"))


def write_demo_picture() -> None:
    """Write the first year of the gallery above the graph of the areas."""
    folder = Path("artifacts/report")
    names = "prediction_gallery.png", "glacier_retreat_graph.png"
    parts = [Image.open(folder / name).convert("RGB") for name in names]
    parts[0] = parts[0].crop((0, 0, parts[0].width, GALLERY_FIRST_ROW_PX))
    scaled = [part.resize((DEMO_WIDTH_PX, round(part.height * DEMO_WIDTH_PX / part.width))) for part in parts]
    sheet = Image.new("RGB", (DEMO_WIDTH_PX, sum(part.height for part in scaled)), "white")
    sheet.paste(scaled[0], (0, 0))
    sheet.paste(scaled[1], (0, scaled[0].height))
    save(sheet, DEMO)


def write_everest_picture(site: Path) -> None:
    """Write the site's gallery, which has one year."""
    gallery = Image.open(site / "artifacts/report/prediction_gallery.png").convert("RGB")
    height = round(gallery.height * EVEREST_WIDTH_PX / gallery.width)
    save(gallery.resize((EVEREST_WIDTH_PX, height), Image.Resampling.LANCZOS), EVEREST, site)


def save(sheet: Image.Image, path: Path, site: Path = Path()) -> None:
    """Write a picture of few colours, small enough for git; it names the metrics of the results that it shows."""
    notes = PngInfo()
    notes.add_text(METRICS_NOTE, file_md5(site / "metrics/area.json"))
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True, pnginfo=notes)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def write_twin_picture(samples: Path) -> None:
    """Write the twin beside Khumbu and Everest."""
    panels = [
        ("Simulated (the demo, 2016), 10 km", twin_pixels(Path("artifacts/prepare/2016/scene.tif"))),
        (
            "Real: Khumbu, Sentinel-2, autumn 2024, 6.6 km",
            khumbu_pixels(samples / "khumbu-sentinel2/s2_l2a_autumn_2024.tif"),
        ),
        ("Real: Everest, Landsat 7, 2000, 18.6 km", everest_pixels(samples / "everest-landsat7")),
    ]
    width = len(panels) * SIDE_PX + (len(panels) - 1) * GAP_PX
    sheet = Image.new("RGB", (width, SIDE_PX + CAPTION_PX), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=19)
    for position, (title, pixels) in enumerate(panels):
        left = position * (SIDE_PX + GAP_PX)
        draw.text((left, 3), title, fill="black", font=font)
        sheet.paste(Image.fromarray(pixels).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC), (left, CAPTION_PX))
    save(sheet, TWIN)


def twin_pixels(path: Path) -> np.ndarray:
    """Read the main tongue of the twin and its tributaries, (1000, 1000, 3) uint8."""
    with rasterio.open(path) as dataset:
        bands = dataset.read([3, 2, 1], window=((250, 1250), (560, 1560)))
    return stretched(bands.astype(float) * 1e-4 - 0.1)


def khumbu_pixels(path: Path) -> np.ndarray:
    """Read the Sentinel-2 scene of Khumbu, (256, 256, 3) uint8."""
    with rasterio.open(path) as dataset:
        return stretched(dataset.read([3, 2, 1]))


def everest_pixels(folder: Path) -> np.ndarray:
    """Read a part of the Landsat scene of Everest, (620, 620, 3) uint8."""
    with rasterio.open(next(folder.glob("*_RGB.tif"))) as dataset:
        return np.moveaxis(dataset.read(window=((0, 620), (90, 710))), 0, 2)


def stretched(reflectance: np.ndarray) -> np.ndarray:
    """Convert (3, H, W) reflectance to (H, W, 3) uint8, by the same stretch for all scenes."""
    brightness = np.clip(np.nan_to_num(reflectance) / 0.9, 0, 1) ** 0.6
    return np.moveaxis(np.rint(255 * brightness).astype(np.uint8), 0, 2)


if __name__ == "__main__":
    main()
