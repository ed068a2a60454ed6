"""What a net that sees less far costs and misses: the demo by nets of other depths and widths, against the truth.

    python -m bench.cost.receptive_field --demo SITE --folder DIR [--csv FILE]

Each net is trained on the patches of a finished demo as `train` does it, and maps all its years. What is in DIR already
is not done again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.cost.members import cpu_seconds, map_all, read_row, train_net
from stages.common.params.schema import load_params
from stages.common.run.outputs import write_table
from stages.common.run.records import read_document
from stages.common.tables.base import Record
from stages.common.tables.learning import ModelCard

NETS: dict[str, dict[str, Any]] = {
    "four levels": {"depth": 4},
    "three levels": {"depth": 3},
    "two levels, wider": {"depth": 2, "base_channels": 24},
}
"""Names of the nets, with what they change of `train`; the last one takes more arithmetic than the first."""


class NetRow(Record):
    """A net and its scores; areas are of images alone."""

    net: str
    radius_px: int
    """Of the receptive field."""
    parameters: int
    train_cpu_min: float
    predict_cpu_s: float
    """Of one scene."""
    image_iou: float
    image_error_pct: float
    """Mean absolute error of the area, in % of the true one."""
    product_iou: float
    """Of the outlines product."""
    change_km2_per_year: float
    change_minimum_km2_per_year: float


def main() -> int:
    """Print and write a row for each net; return 0: these are figures, not a test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path(), help="finished demo")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-nets"), help="trainings and maps, kept")
    parser.add_argument("--csv", type=Path, default=Path("receptive_field.csv"), help="table to write")
    arguments = parser.parse_args()
    demo, folder = arguments.demo.resolve(), arguments.folder.resolve()
    seed, rows = load_params(demo / "params.yaml").train.seed, list[NetRow]()
    for name, changes in NETS.items():
        place = folder / name.replace(" ", "-").replace(",", "")
        model = train_net(demo, place, seed=seed, **changes)
        map_all(demo, place / "site", [model])
        rows.append(describe(name, model, place))
        print(rows[-1].model_dump(), flush=True)
        write_table(arguments.csv, rows, NetRow)
    return 0


def describe(name: str, model: Path, place: Path) -> NetRow:
    """Return the row of a net that has mapped all years in ``place/site``."""
    card = read_document(model / "model_card.json", ModelCard)
    scores = read_row(place / "site", name, round(cpu_seconds(place) / 60, 1)).model_dump()
    row = {field: scores[field] for field in NetRow.model_fields if field in scores}
    return NetRow(net=name, radius_px=card.receptive_field_radius_px, parameters=card.parameters, **row)


if __name__ == "__main__":
    raise SystemExit(main())
