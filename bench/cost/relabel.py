"""What other labels of the ground near old boundaries and fronts give: the demo trained on them, against the truth.

    python -m bench.cost.relabel --demo SITE --folder DIR [--csv FILE]

The labels of a site leave out what may have changed since its outlines were drawn (`labels.boundary_ignore_m` and
`terminus_ignore_m`). Here the training blocks have labels there too: `own maps`, each year's outline of the finished
demo (the outlines product); or `outer margin`, ice within the old outline, so that only ground beyond it is left out.
Validation and calibration stay as they are. What is in DIR already is not done again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from bench.cost.members import MembersRow, cpu_seconds, map_all, read_row, train_net
from stages.common.geo.raster import gdal_env, read_band, read_grid
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.model.split import TRAIN
from stages.common.params.schema import load_params
from stages.common.run.documents import read_yaml
from stages.common.run.outputs import write_arrays, write_table
from stages.common.tables.kinds import IGNORE
from stages.common.types import AnyArray, BoolArray
from versions.across_sites.training import link

Relabel = Callable[[int], BoolArray]
"""Given a year, returns (H, W): what counts as ice where the labels say nothing."""


class RelabelRow(MembersRow):
    """The demo trained on other labels, its seeds as they are."""

    labels: str


def main() -> int:
    """Print and write a row for each kind of labels; return 0: these are figures, not a test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path(), help="finished demo")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-relabel"), help="trainings and maps, kept")
    parser.add_argument("--csv", type=Path, default=Path("relabel.csv"), help="table to write")
    arguments = parser.parse_args()
    demo, folder = arguments.demo.resolve(), arguments.folder.resolve()
    grid = read_grid(demo / "artifacts/labels/glacier.tif")

    def within(path: Path) -> BoolArray:
        return pixels_inside(read_polygons(path, grid.crs).geometry, grid)

    old = within(demo / "data/outlines.gpkg")
    kinds: dict[str, Relabel] = {
        "own maps": lambda year: within(demo / f"artifacts/area/outlines_{year}.gpkg"),
        "outer margin": lambda _: old,
    }
    seeds = str(load_params(demo / "params.yaml").train.seed)
    rows: list[RelabelRow] = []
    for name, relabel in kinds.items():
        place = folder / name.replace(" ", "-")
        with gdal_env():
            write_labels(demo, place / "labels", relabel, keep_outside=name == "own maps")
        model = train_net(place / "labels", place / "training")
        map_all(demo, place / "site", [model])
        row = read_row(place / "site", seeds, round(cpu_seconds(place / "training") / 60, 1))
        rows.append(RelabelRow(labels=name, **row.model_dump()))
        print(rows[-1].model_dump(), flush=True)
        write_table(arguments.csv, rows, RelabelRow)
    return 0


def write_labels(demo: Path, site: Path, relabel: Relabel, *, keep_outside: bool) -> None:
    """Write the demo's patches to `site` with other labels in the training blocks, unless that is done.

    Parameters
    ----------
    keep_outside
        Whether ground that `relabel` does not call ice is labelled too, as no glacier; else it stays left out.
    """
    ignored = read_band(demo / "artifacts/labels/glacier.tif") == IGNORE
    for year in load_params(demo / "params.yaml").training_years:
        patches, out = demo / f"artifacts/patches/{year}", site / f"artifacts/patches/{year}"
        if (out / "train.npz").exists():
            continue
        out.mkdir(parents=True, exist_ok=True)
        ice, learned = relabel(year), ignored & (read_band(patches / "split.tif") == TRAIN)
        label = np.where(learned & (keep_outside | ice), ice, IGNORE).astype(np.uint8)
        with np.load(patches / "train.npz") as stored:
            arrays = {name: stored[name] for name in stored.files}
        for number, corner in enumerate(zip(arrays["row"], arrays["column"], strict=True)):
            fill(arrays["label"][number], label, corner)
        for path in patches.iterdir():
            if path.name != "train.npz":
                link(path.resolve(), out / path.name)
        write_arrays(out / "train.npz", arrays)
    (site / "params.yaml").write_text(yaml.safe_dump(read_yaml(demo / "params.yaml")), encoding="utf-8")


def fill(patch: AnyArray, label: AnyArray, corner: tuple[int, int]) -> None:
    """Put the (H, W) labels of a site into the (h, w) labels of a patch where those say nothing.

    `corner` is row and column of the patch's upper left pixel, which may lie outside the site.
    """
    (row, column), (height, width) = corner, patch.shape
    top, left = max(row, 0), max(column, 0)
    part = label[top : row + height, left : column + width]
    place = patch[top - row : top - row + part.shape[0], left - column : left - column + part.shape[1]]
    place[place == IGNORE] = part[place == IGNORE]


if __name__ == "__main__":
    raise SystemExit(main())
