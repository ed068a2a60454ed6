"""Palette: colours with a meaning stay as they are."""

from __future__ import annotations

import numpy as np

from stages.report.pictures import palette, timelapse


def test_palette_keeps_our_colours_exactly_and_takes_the_nearest_for_others():
    noise = np.random.default_rng(1).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    noise[0, : len(timelapse.OWN_COLOURS)] = timelapse.OWN_COLOURS
    entries = palette.joint_palette([noise], own=timelapse.OWN_COLOURS)
    (nearest,) = palette.nearest_colours([noise], entries)
    shown = entries[nearest]
    assert (shown[0, : len(timelapse.OWN_COLOURS)] == timelapse.OWN_COLOURS).all()
    distance = ((noise[:, :, None].astype(int) - entries[None, None].astype(int)) ** 2).sum(axis=3).min(axis=2)
    assert (((noise.astype(int) - shown) ** 2).sum(axis=2) == distance).all()
