"""The demo with other bands than its six, for example natural colour, compared with the truth.

    python -m bench.bands [--bands B02 B03 B04]

Run `make demo` before: its data are used. Takes about four minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Run the stages with these bands in a scratch folder and print scores and areas."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bands", nargs="+", default=["B02", "B03", "B04"], help="value of prepare.bands")
    bands = parser.parse_args().bands
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["prepare"]["bands"] = bands
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        (site / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        (site / "data").symlink_to(ROOT / "data")
        run_all(site, params)
        print(json.dumps(read_results(site, bands), indent=2))


def run_all(site: Path, params: dict[str, Any]) -> None:
    """Run all stages from `prepare` to `area`."""
    for year in params["years"]:
        run_one_stage(site, "prepare", year)
    run_one_stage(site, "labels")
    for year in params["training_years"]:
        run_one_stage(site, "patches", year)
    run_one_stage(site, "train")
    run_one_stage(site, "evaluate")
    for year in params["years"]:
        run_one_stage(site, "predict", year)
    run_one_stage(site, "area")


def run_one_stage(site: Path, name: str, year: int | None = None) -> None:
    """Run one stage in the site's folder; its messages go to standard error."""
    command = [sys.executable, "-m", f"stages.{name}", *(["--year", str(year)] if year else [])]
    subprocess.run(command, cwd=site, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


def read_results(site: Path, bands: list[str]) -> dict[str, Any]:
    """Read the scores, and the errors of the areas against the truth."""
    area = json.loads((site / "metrics/area.json").read_text(encoding="utf-8"))
    scores = json.loads((site / "metrics/evaluate.json").read_text(encoding="utf-8"))
    return {
        "bands": bands,
        "held_out_iou": scores["model"]["iou"],
        **area["truth"],
        "slope_km2_per_year": area["slope_km2_per_year"],
    }


if __name__ == "__main__":
    main()
