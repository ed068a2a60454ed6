"""Phrases that stand on every picture and page."""

from __future__ import annotations

from collections.abc import Iterable

SIMULATED = "SIMULATED DATA: NOT A MEASUREMENT"
"""Mark of every picture and page of a site with ``site.simulated``."""

INTERVAL = "± is one standard deviation"
"""Meaning of the ± after an area."""

NEAR_NO_OUTLINE = "near no outline"
"""Name of the ice that belongs to no glacier of the inventory."""

IMAGES_ALONE = "from the images alone"
"""Product of changes, trends and fronts, and of every raster of `predict`."""

PRODUCTS = {"outlines": "outlines product: image and inventory together", "image": IMAGES_ALONE}
"""What an area or an outline rests on, by the column `product`."""

SHORT_PRODUCTS = {"outlines": "outlines product", "image": "images alone"}
"""The same in two words, where a picture has no room."""

COMMON_AREA = f"Common area, {IMAGES_ALONE}"
"""Stands before the sentence of trend.json."""

CHANGE_PRODUCT = f"Change, {IMAGES_ALONE}"
"""Stands before the sentence of change_trend.json."""


def products_of(products: Iterable[str]) -> str:
    """Return in words what areas rest on, by their `product`; both where a series mixes them."""
    return "; ".join(PRODUCTS[product] for product in sorted(set(products), reverse=True))
