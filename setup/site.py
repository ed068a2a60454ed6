"""Write a new site: ``python -m setup.site NAME=... SCENES=... OUTLINES=...`` in the root (`make site`).

Exit code: 0 written, 2 a word or a file is not what it must be, 3 anything unexpected.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from stages.common.run.start import starting

with starting("site", __name__):
    from setup.arguments import parse_arguments
    from setup.content import content, warnings, with_paths
    from setup.elevation import check_dem
    from setup.folder import SCHEMA, require_free, write_site
    from setup.lines import yaml_text
    from setup.place import place_of_catalogue, place_of_scenes
    from setup.reach import cover_notes, overlap_notes
    from setup.scenes import read_scenes
    from setup.split import choose_split
    from stages.common.run.exit_code import exit_code_of
    from stages.ingest.counting import counted

ROOT = Path(__file__).resolve().parents[1]

HEAD = f"""\
# yaml-language-server: $schema={SCHEMA}
# Written by `make site`, each value with its reason. What is not here has a default ({SCHEMA} has all).
"""


def main(words: Sequence[str], root: Path = ROOT) -> int:
    """Write the site and say what comes next; return the exit code."""
    return exit_code_of("site", lambda: make_site(words, root))


def make_site(words: Sequence[str], root: Path) -> str:
    """Derive the parameters of a new site and write its folder; return what to tell the user.

    Raises
    ------
    ParamsError, InputError
        A word or a file is not what it must be, or the name is taken; nothing is written.
    """
    arguments = parse_arguments(words)
    site = root / "sites" / arguments.name
    require_free(site)
    scenes = read_scenes(arguments)
    place = place_of_scenes(arguments, scenes) if scenes else place_of_catalogue(arguments)
    check_dem(arguments, place)
    sections = content(arguments, scenes, place, choose_split(place))
    params = write_site(root, arguments.name, HEAD + yaml_text(with_paths(sections, site, root)))
    partly = cover_notes(scenes, place.aoi_shape, place.grid.crs)
    notes = [f"note: {text}" for text in [*overlap_notes(scenes), *partly, *warnings(place)]]
    height, width = place.grid.shape
    return "\n".join(
        [
            *notes,
            f"sites/{arguments.name}/params.yaml: {counted(len(params.years), 'year')}, "
            f"{counted(len(place.outlines), 'outline')}, "
            f"{width} x {height} px of {place.grid.pixel_size_m:g} m; each line says why",
            f"next:  make ingest SITE={arguments.name}  &&  make repro SITE={arguments.name}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
