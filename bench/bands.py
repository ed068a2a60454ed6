"""The demo with six bands and with natural colour alone, held against the truth. About four minutes a set of bands.

Usage: python -m bench.bands [--bands B02 B03 B04]   (after `make demo`, whose data it uses)
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
    """Run the stages with these bands in a folder of their own and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bands", nargs="+", default=["B02", "B03", "B04"])
    bands = parser.parse_args().bands
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["prepare"]["bands"] = bands
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        (site / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        (site / "data").symlink_to(ROOT / "data")
        run_all(site, params)
        print(json.dumps(summary(site, bands), indent=2))


def run_all(site: Path, params: dict[str, Any]) -> None:
    """All stages from `prepare` to `area`."""
    for year in params["years"]:
        stage(site, "prepare", year)
    stage(site, "labels")
    for year in params["training_years"]:
        stage(site, "patches", year)
    stage(site, "train")
    stage(site, "evaluate")
    for year in params["years"]:
        stage(site, "predict", year)
    stage(site, "area")


def stage(site: Path, name: str, year: int | None = None) -> None:
    """Run one stage; its own messages go through."""
    command = [sys.executable, "-m", f"stages.{name}", *(["--year", str(year)] if year else [])]
    subprocess.run(command, cwd=site, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


def summary(site: Path, bands: list[str]) -> dict[str, Any]:
    """Scores and areas against the truth."""
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
