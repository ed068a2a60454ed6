"""Pixels of a band that no detector saw, or whose data were lost: the raster masks of a Sentinel-2 product's QI_DATA.

Since baseline 04.00 each band has ``MSK_DETFOO``, the number of the detector that saw each pixel, and ``MSK_QUALIT``,
eight layers of flags (Sentinel-2 Products Specification Document, issue 14; SentiWiki, S2 Processing). The flags say
nothing of pixels outside the swath, the detectors say nothing of lost packets: both are needed. Products of older
baselines hold polygons (GML), which are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import rasterio
import rasterio.warp
from rasterio.enums import Resampling

from stages.common.errors import InputError
from stages.common.scene.scene import Layer
from stages.common.types import AnyArray, BoolArray
from stages.ingest.region import Region, clip_window, clipped_grid
from stages.ingest.sources.safe.store import Store, readable

QUALITY_FLAGS = (
    "ANC_LOST", "ANC_DEG", "MSI_LOST", "MSI_DEG", "QT_DEFECTIVE_PIXELS", "QT_NODATA_PIXELS",
    "QT_PARTIALLY_CORRECTED_PIXELS", "QT_SATURATED_PIXELS_L1A",
)  # fmt: skip
"""Layers of ``MSK_QUALIT``, in their order."""

NO_DATA_FLAGS = frozenset({"MSI_LOST", "MSI_DEG", "QT_DEFECTIVE_PIXELS", "QT_NODATA_PIXELS"})
"""The pixel has no trustworthy value of its own. The other flags leave it one: ancillary packets tell of orbit and
attitude, cross-talk is corrected in part, and a saturated pixel is at least bright."""


def unseen(pixels: AnyArray) -> BoolArray:
    """(H, W) from (1, H, W) detector numbers: outside the footprint of every detector."""
    return np.asarray(pixels[0] == 0)


def flagged(pixels: AnyArray) -> BoolArray:
    """(H, W) from (8, H, W) quality flags: one of `NO_DATA_FLAGS` is set."""
    return np.asarray(pixels[[name in NO_DATA_FLAGS for name in QUALITY_FLAGS]].any(axis=0))


KINDS: dict[str, tuple[int, Callable[[AnyArray], BoolArray]]] = {
    "MSK_DETFOO": (1, unseen),
    "MSK_QUALIT": (len(QUALITY_FLAGS), flagged),
}
"""Layers of each kind of mask, and which pixels they condemn."""


def masks_of(names: Iterable[str], band: str) -> list[str]:
    """Those of the mask files that speak of a band."""
    return [name for name in names if name.partition(".")[0] in {f"{kind}_{band}" for kind in KINDS}]


def without_lost(layer: Layer, store: Store, masks: Iterable[str], region: Region) -> Layer:
    """The layer with its nodata DN wherever one of the masks condemns a pixel, or a part of it where masks are finer.

    Raises
    ------
    InputError
        A mask cannot be read, or is none.
    """
    pixels = layer.pixels.copy()
    for name in masks:
        pixels[_condemned(layer, store, name, region)] = layer.nodata
    return replace(layer, pixels=pixels)


def _condemned(layer: Layer, store: Store, name: str, region: Region) -> BoolArray:
    """(H, W) bool on the layer's grid; true where the mask does not reach."""
    layers, judge = KINDS[name.rpartition("/")[2].rpartition("_")[0]]
    where = store.where(name)
    with readable(where), rasterio.open(store.gdal(name)) as dataset:
        if dataset.count != layers:
            raise _no_mask(where, layers, dataset.count)
        window = clip_window(where, dataset, replace(region, grid=layer.grid))
        bad, grid = judge(dataset.read(window=window)), clipped_grid(dataset, window)
    result = np.ones(layer.grid.shape, dtype=np.uint8)
    rasterio.warp.reproject(
        bad.astype(np.uint8), result, src_transform=grid.transform, src_crs=grid.crs,
        dst_transform=layer.grid.transform, dst_crs=layer.grid.crs, resampling=Resampling.max, init_dest_nodata=False,
    )  # fmt: skip
    return np.asarray(result != 0)


def _no_mask(where: str, expected: int, found: int) -> InputError:
    return InputError(
        "a mask of the product is none that the specification knows",
        where=where,
        expected=f"{expected} layer(s)",
        found=found,
        fix="download the product again",
    )
