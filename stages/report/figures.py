"""Matplotlib without its global state: a figure in, the same bytes out every time."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

from stages.report.style import INK, MUTED, PAPER, RULE, SIMULATED, VERMILLION, hexadecimal

DPI = 120
BANNER_IN = 0.32
"""Height of the banner on pictures of a simulated site."""


@contextlib.contextmanager
def plain_style() -> Iterator[None]:
    """Matplotlib's own defaults, whatever a ``matplotlibrc`` on this machine says, and our ink."""
    from matplotlib import style

    ours = {
        "font.family": "DejaVu Sans",  # travels with matplotlib
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
    with style.context(["default", ours]):
        yield


def new_figure(width_in: float, height_in: float, *, simulated: bool) -> Any:
    """A white figure; a banner stands at its top where the site is simulated."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(width_in, height_in), dpi=DPI, facecolor=hexadecimal(PAPER))
    if simulated:
        share = BANNER_IN / height_in
        figure.add_artist(Rectangle((0, 1 - share), 1, share, color=hexadecimal(VERMILLION), linewidth=0))
        figure.text(0.5, 1 - share / 2, SIMULATED, color="white", weight="bold", ha="center", va="center")
    return figure


def png(figure: Any) -> bytes:
    """The figure as PNG, without the metadata (software, date) that would change its bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(stream, format="png", dpi=DPI, metadata={"Software": None})
    return stream.getvalue()
