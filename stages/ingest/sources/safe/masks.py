"""Pixels of a band that no detector covers, or whose data were lost: the raster masks in a product's QI_DATA.

Since baseline 04.00 each band has ``MSK_DETFOO``, the number of the detector that measured each pixel, and
``MSK_QUALIT``, eight layers of flags (Sentinel-2 Products Specification Document, issue 14; SentiWiki, S2 Processing).
The flags say nothing of pixels outside the swath, the detectors say nothing of lost packets: both are needed. Products
of older baselines hold polygons (GML), which are not read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import rasterio.warp
from rasterio.enums import Resampling

from stages.common.geo.raster import open_by_driver, require_size
from stages.common.scene.scene import Layer
from stages.common.types import AnyArray, BoolArray
from stages.ingest.region import Region, clip_window, clipped_grid
from stages.ingest.sources.acquisition import DamagedError
from stages.ingest.sources.safe.store import Store, explain_read_errors

QUALITY_FLAGS = (
    "ANC_LOST", "ANC_DEG", "MSI_LOST", "MSI_DEG", "QT_DEFECTIVE_PIXELS", "QT_NODATA_PIXELS",
    "QT_PARTIALLY_CORRECTED_PIXELS", "QT_SATURATED_PIXELS_L1A",
)  # fmt: skip
"""Layers of ``MSK_QUALIT``, in their order."""

NO_DATA_FLAGS = frozenset({"MSI_LOST", "MSI_DEG", "QT_DEFECTIVE_PIXELS", "QT_NODATA_PIXELS"})
"""Flags of pixels that have no trustworthy value of their own. Pixels with other flags have one: ancillary packets
concern orbit and attitude, cross-talk is corrected in part, and a saturated pixel is at least bright."""


def outside_footprint(pixels: AnyArray) -> BoolArray:
    """Return the pixels outside the footprint of every detector, (H, W), from (1, H, W) detector numbers."""
    return np.asarray(pixels[0] == 0)


def flagged(pixels: AnyArray) -> BoolArray:
    """Return the pixels with one of `NO_DATA_FLAGS`, (H, W), from (8, H, W) quality flags."""
    return np.asarray(pixels[[name in NO_DATA_FLAGS for name in QUALITY_FLAGS]].any(axis=0))


MASK_KINDS: dict[str, tuple[int, Callable[[AnyArray], BoolArray]]] = {
    "MSK_DETFOO": (1, outside_footprint),
    "MSK_QUALIT": (len(QUALITY_FLAGS), flagged),
}
"""Number of layers of each kind of mask, and the function that returns the pixels it declares lost."""


def masks_of(names: Iterable[str], band: str) -> list[str]:
    """Return those of the mask files that concern a band."""
    return [name for name in names if name.partition(".")[0] in {f"{kind}_{band}" for kind in MASK_KINDS}]


def remove_lost_pixels(layer: Layer, store: Store, masks: Iterable[str], region: Region) -> Layer:
    """Return the layer with its nodata DN in every pixel that a mask declares lost, as a whole or in part.

    Raises
    ------
    DamagedError
        A mask cannot be read, or does not have the layers of its kind.
    """
    pixels = layer.pixels.copy()
    for name in masks:
        pixels[_lost_pixels(layer, store, name, region)] = layer.nodata
    return replace(layer, pixels=pixels)


def _lost_pixels(layer: Layer, store: Store, name: str, region: Region) -> BoolArray:
    """Return the lost pixels on the layer's grid, (H, W) bool; true where the mask does not reach."""
    layers, find_lost = MASK_KINDS[name.rpartition("/")[2].rpartition("_")[0]]
    where = store.label(name)
    with explain_read_errors(where), open_by_driver(store.gdal_path(name)) as dataset:
        require_size(dataset, where, pixels_max=math.inf)
        if dataset.count != layers:
            raise _wrong_mask(where, layers, dataset.count)
        window = clip_window(where, dataset, replace(region, grid=layer.grid))
        lost, grid = find_lost(dataset.read(window=window)), clipped_grid(dataset, window)
    result = np.ones(layer.grid.shape, dtype=np.uint8)
    rasterio.warp.reproject(
        lost.astype(np.uint8), result, src_transform=grid.transform, src_crs=grid.crs,
        dst_transform=layer.grid.transform, dst_crs=layer.grid.crs, resampling=Resampling.max, init_dest_nodata=False,
    )  # fmt: skip
    return np.asarray(result != 0)


def _wrong_mask(where: str, expected: int, actual: int) -> DamagedError:
    return DamagedError(
        "a mask of the product is not as the specification says",
        where=where,
        expected=f"{expected} layer(s)",
        found=actual,
        fix="download the product again",
    )
