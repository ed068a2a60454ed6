"""Matplotlib without its global state: the same figure gives the same bytes every time."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from stages.common.display.colours import INK, MUTED, PAPER, RULE, VERMILLION, hexadecimal
from stages.common.display.phrases import SIMULATED
from stages.common.types import UInt8Array

DPI = 120
BANNER_IN = 0.32
"""Height of the banner on pictures of a simulated site, inches."""

OPAQUE_LEGEND = {"frameon": True, "edgecolor": "none", "framealpha": 0.9}
"""Arguments of a legend that lines do not show through."""

SMALL_WIDTH_IN, SMALL_HEIGHT_IN = 4.8, 3.4
EDGE_PX = 6
"""Least distance of a label from the left edge of a small chart."""


@contextlib.contextmanager
def plain_style() -> Iterator[None]:
    """Use matplotlib's own defaults, whatever a ``matplotlibrc`` on this machine says, and the report's colours."""
    from matplotlib import style

    report_style = {
        "font.family": "DejaVu Sans",  # comes with matplotlib
        "font.size": 10,
        "text.color": hexadecimal(INK),
        "axes.labelcolor": hexadecimal(INK),
        "axes.edgecolor": hexadecimal(MUTED),
        "xtick.color": hexadecimal(INK),
        "ytick.color": hexadecimal(INK),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": hexadecimal(RULE),
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "hatch.linewidth": 0.6,
        "text.parse_math": False,  # a title is text, also with two dollar signs
    }
    with style.context(["default", report_style]):
        yield


def new_figure(width_in: float, height_in: float, *, simulated: bool) -> Any:
    """Make a white figure, with a banner at its top where the site is simulated."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(width_in, height_in), dpi=DPI, facecolor=hexadecimal(PAPER))
    if simulated:
        share = BANNER_IN / height_in
        figure.add_artist(Rectangle((0, 1 - share), 1, share, color=hexadecimal(VERMILLION), linewidth=0))
        figure.text(0.5, 1 - share / 2, SIMULATED, color="white", weight="bold", ha="center", va="center")
    return figure


def encode_png(figure: Any) -> bytes:
    """Encode the figure as PNG, without the metadata (software, date) that would change its bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(stream, format="png", dpi=DPI, metadata={"Software": None})
    return stream.getvalue()


def figure_pixels(figure: Any) -> UInt8Array:
    """Return the figure as pixels, (H, W, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def small_chart(title: str, draw: Callable[[Any], None], *, simulated: bool, width_in: float = SMALL_WIDTH_IN) -> bytes:
    """Draw one pair of axes under a title as PNG; `draw` fills the axes."""
    height_in = SMALL_HEIGHT_IN + (BANNER_IN if simulated else 0.0)
    left_in, right_in = 0.62, 0.2
    with plain_style():
        figure = new_figure(width_in, height_in, simulated=simulated)
        box = (left_in / width_in, 0.55 / height_in, 1 - (left_in + right_in) / width_in)
        axes = figure.add_axes((*box, (SMALL_HEIGHT_IN - 1.0) / height_in))
        draw(axes)
        axes.set_title(title, loc="left", size=11, weight="bold")
        make_room(axes)
        return encode_png(figure)


def make_room(axes: Any) -> None:
    """Move the left side of the axes to the right, where its labels would be cut off at the edge of the figure."""
    figure = axes.get_figure()
    lacking = (EDGE_PX - axes.get_tightbbox().x0) / figure.bbox.width
    if lacking > 0:
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position((left + lacking, bottom, width - lacking, height))
