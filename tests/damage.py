"""Ways in which a file comes to harm, for tests of what a stage says of its input then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def cut_short(path: Path) -> None:
    """Keep the first half of a file, as a copy that was interrupted leaves it."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def spoil_middle(path: Path) -> None:
    """Overwrite the middle third of a file with one letter; the size stays."""
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = b"U" * third
    path.write_bytes(bytes(content))


def replace_by_text(path: Path) -> None:
    """Put a web page in the place of a file, as a failed download does."""
    path.write_text("<html>404 Not Found</html>\n", encoding="utf-8")


def empty(path: Path) -> None:
    """Leave a file without a byte."""
    path.write_bytes(b"")


DAMAGES: list[Callable[[Path], None]] = [cut_short, spoil_middle, replace_by_text, empty]


def spoil_pixels(path: Path) -> None:
    """Overwrite the second half of a raster, where its pixels are, and leave header and size as they are."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"U" * (len(content) - len(content) // 2))
