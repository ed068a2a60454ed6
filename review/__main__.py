"""Look at a site's maps: ``python -m review <site folder> [FROM=review.json] [OUTLINES=drawn.gpkg]`` (`make review`).

Without FROM it writes review.html into the site's folder. With it, it takes in what the page saved, and outlines drawn
in QGIS, and records them in data.dvc.

Exit code: 0 done, 2 a file is not what it must be, 3 anything unexpected.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from stages.common.run.start import starting

with starting("review", __name__, command=True):
    from review.page import render_review
    from review.take_in import take_in
    from stages.common.params.schema import load_params
    from stages.common.run.exit_code import exit_code_of
    from stages.common.run.replace import SCRATCH, put_in_place
    from versions.tools.cut_short import working_on_site

PAGE = Path("review.html")


def main(arguments: Sequence[str]) -> int:
    """Work in the site's folder that the first argument names; return the exit code."""
    words = dict(word.partition("=")[::2] for word in arguments[1:])
    files = {name: Path(text).expanduser().absolute() for name, text in words.items() if text}
    os.chdir(arguments[0] if arguments else ".")
    return exit_code_of("review", lambda: _review(files.get("FROM"), files.get("OUTLINES")))


def _review(decisions: Path | None, drawn: Path | None) -> str:
    with working_on_site("review"):
        if decisions or drawn:
            return take_in(decisions, drawn)
        page = render_review(load_params())
        draft = SCRATCH / PAGE
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(page, encoding="utf-8", newline="\n")
        put_in_place(draft, PAGE)
    return f"{PAGE.absolute()}: open it in a browser, decide, save review.json; then `make review FROM=review.json`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
