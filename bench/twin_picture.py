"""docs/twin.png: a simulated scene beside two real ones, in natural colour.

Usage: GLACIER_SAMPLES=<folder> python -m bench.twin_picture   (after `make demo`)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from PIL import Image, ImageDraw, ImageFont

from stages.ingest.files import resolve

SIDE_PX, GAP_PX, CAPTION_PX = 620, 8, 30
OUT = Path("docs/twin.png")


def main() -> None:
    """Write the picture."""
    samples = resolve("${GLACIER_SAMPLES}", where="bench.twin_picture")
    panels = [
        ("Simulated (the demo, 2016), 6.2 km", twin(Path("artifacts/prepare/2016/scene.tif"))),
        ("Real: Khumbu, Sentinel-2, autumn 2024, 6.6 km", khumbu(samples / "khumbu-sentinel2/s2_l2a_autumn_2024.tif")),
        ("Real: Everest, Landsat 7, 2000, 18.6 km", everest(samples / "everest-landsat7")),
    ]
    width = len(panels) * SIDE_PX + (len(panels) - 1) * GAP_PX
    sheet = Image.new("RGB", (width, SIDE_PX + CAPTION_PX), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=19)
    for position, (title, pixels) in enumerate(panels):
        left = position * (SIDE_PX + GAP_PX)
        draw.text((left, 3), title, fill="black", font=font)
        sheet.paste(Image.fromarray(pixels).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC), (left, CAPTION_PX))
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(OUT, optimize=True)
    print(f"{OUT}: {OUT.stat().st_size / 1e6:.2f} MB")


def twin(path: Path) -> np.ndarray:
    """(620, 620, 3) uint8: the main tongue."""
    with rasterio.open(path) as dataset:
        bands = dataset.read([3, 2, 1], window=((560, 1180), (620, 1240)))
    return stretched(bands.astype(float) * 1e-4 - 0.1)


def khumbu(path: Path) -> np.ndarray:
    """(256, 256, 3) uint8."""
    with rasterio.open(path) as dataset:
        return stretched(dataset.read([3, 2, 1]))


def everest(folder: Path) -> np.ndarray:
    """(620, 620, 3) uint8."""
    with rasterio.open(next(folder.glob("*_RGB.tif"))) as dataset:
        return np.moveaxis(dataset.read(window=((0, 620), (90, 710))), 0, 2)


def stretched(reflectance: np.ndarray) -> np.ndarray:
    """(3, H, W) reflectance to (H, W, 3) uint8, the same for all scenes."""
    shown = np.clip(np.nan_to_num(reflectance) / 0.9, 0, 1) ** 0.6
    return np.moveaxis(np.rint(255 * shown).astype(np.uint8), 0, 2)


if __name__ == "__main__":
    main()
