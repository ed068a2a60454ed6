"""A bar that shows on a terminal how far a stage is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(total: int, *, name: str, unit: str) -> Iterator[Callable[[int], object]]:
    """Show a bar until the block ends, and yield the function that advances it by a number of units.

    Where there is no terminal, nothing is shown, and tqdm is not imported: that takes a fortieth of a short stage.
    """
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=name, unit=unit) as bar:
        yield bar.update
