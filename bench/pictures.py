"""Pictures of the documents, from the demo: docs/demo.png, and docs/twin.png with two real scenes beside it.

Usage: GLACIER_SAMPLES=<folder> python -m bench.pictures   (after `make demo`)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from PIL import Image, ImageDraw, ImageFont

from stages.ingest.input_files import resolve_path

SIDE_PX, GAP_PX, CAPTION_PX = 620, 8, 30
DEMO, TWIN = Path("docs/demo.png"), Path("docs/twin.png")
DEMO_WIDTH_PX = 1500

GALLERY_FIRST_ROW_PX = 530
"""Banner, title and the first year of the gallery."""


def main() -> None:
    """Write both."""
    demo()
    beside_real_ones()


def demo() -> None:
    """One year's gallery row over the graph of the areas."""
    folder = Path("artifacts/report")
    names = "prediction_gallery.png", "glacier_retreat_graph.png"
    parts = [Image.open(folder / name).convert("RGB") for name in names]
    parts[0] = parts[0].crop((0, 0, parts[0].width, GALLERY_FIRST_ROW_PX))
    scaled = [part.resize((DEMO_WIDTH_PX, round(part.height * DEMO_WIDTH_PX / part.width))) for part in parts]
    sheet = Image.new("RGB", (DEMO_WIDTH_PX, sum(part.height for part in scaled)), "white")
    sheet.paste(scaled[0], (0, 0))
    sheet.paste(scaled[1], (0, scaled[0].height))
    save(sheet, DEMO)


def save(sheet: Image.Image, path: Path) -> None:
    """Write a picture of few colours, small enough for git."""
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def beside_real_ones() -> None:
    """The twin, Khumbu and Everest."""
    samples = resolve_path("${GLACIER_SAMPLES}", where="bench.pictures")
    panels = [
        ("Simulated (the demo, 2016), 10 km", twin(Path("artifacts/prepare/2016/scene.tif"))),
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
    save(sheet, TWIN)


def twin(path: Path) -> np.ndarray:
    """(1000, 1000, 3) uint8: the main tongue and its tributaries."""
    with rasterio.open(path) as dataset:
        bands = dataset.read([3, 2, 1], window=((250, 1250), (560, 1560)))
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
