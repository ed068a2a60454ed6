"""Colours that people with any colour vision can tell apart (after Okabe and Ito 2008)."""

from __future__ import annotations

RGB = tuple[int, int, int]

BLACK: RGB = (0, 0, 0)
WHITE: RGB = (255, 255, 255)
ORANGE: RGB = (255, 176, 0)
SKY: RGB = (86, 180, 233)
GREEN: RGB = (0, 158, 115)
BLUE: RGB = (0, 114, 178)
BLUE_LIGHT: RGB = (176, 212, 232)
VERMILLION: RGB = (213, 94, 0)
BROWN: RGB = (110, 84, 60)

INK: RGB = (32, 36, 40)
PAPER: RGB = (255, 255, 255)
MUTED: RGB = (92, 100, 108)
RULE: RGB = (208, 213, 218)
GREY_DARK: RGB = (120, 124, 128)
GREY_LIGHT: RGB = (168, 172, 176)

THIS_YEAR, REFERENCE, BOTH = ORANGE, SKY, WHITE
"""Outlines on a scene: bright lines in a dark casing show on snow as well as on rock."""

ICE: RGB = (226, 232, 238)
GROUND: RGB = (246, 243, 238)
LOST, GAINED = VERMILLION, BLUE
UNCHANGED: RGB = (186, 198, 208)
CLEAN, DEBRIS = SKY, BROWN


def hexadecimal(colour: RGB) -> str:
    """Return the colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
