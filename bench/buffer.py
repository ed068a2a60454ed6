"""What a buffer around held-out blocks changes: held-out IoU for 0, 32 and 128 px on a site that has its data.

    python -m bench.buffer [--site everest] [--buffers 0 32 128]

Runs patches, train and evaluate in a scratch copy of the site; the site itself is not touched. Without a buffer, a
score profits from neighbours that look alike; a wide buffer costs training pixels. The table shows both.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ("data", "artifacts/prepare", "artifacts/labels")


def main() -> None:
    """Print one row per buffer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", default="everest", help="folder in sites/")
    parser.add_argument("--buffers", type=int, nargs="+", default=[0, 32, 128], help="widths in pixels")
    arguments = parser.parse_args()
    print("buffer  training pixels  validation IoU  held-out IoU  area bias")
    for buffer_px in arguments.buffers:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                row = score_with_buffer(ROOT / "sites" / arguments.site, Path(scratch), buffer_px)
            except subprocess.CalledProcessError as error:
                print(f"{buffer_px:>3} px  {error.stderr.splitlines()[0]}", flush=True)
                continue
        scores = f"{row['val_iou']:>14.3f}  {row['iou']:>12.3f}  {row['bias']:>+8.1f} %"
        print(f"{buffer_px:>3} px  {row['pixels']:>15,}  {scores}", flush=True)


def score_with_buffer(site: Path, copy: Path, buffer_px: int) -> dict[str, float]:
    """Train and evaluate with this buffer in `copy`, a copy of the site."""
    params = yaml.safe_load((site / "params.yaml").read_text(encoding="utf-8"))
    params["patches"]["buffer_px"] = buffer_px
    (copy / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    (copy / "stages").symlink_to(ROOT / "stages")
    for name in INPUTS:
        shutil.copytree(site / name, copy / name)
    year = str(params["evaluate"]["year"])
    for stage in (["patches", "--year", year], ["train"], ["evaluate"]):
        command = [sys.executable, "-m", f"stages.{stage[0]}", *stage[1:]]
        subprocess.run(
            command, cwd=copy, env=os.environ | {"PYTHONPATH": "."}, check=True, capture_output=True, text=True
        )
    stats = json.loads((copy / "artifacts/patches" / year / "stats.json").read_text(encoding="utf-8"))
    train = json.loads((copy / "metrics/train.json").read_text(encoding="utf-8"))
    model = json.loads((copy / "metrics/evaluate.json").read_text(encoding="utf-8"))["model"]
    return {"pixels": stats["pixels"], "val_iou": train["val_iou"], "iou": model["iou"], "bias": model["area_bias_pct"]}


if __name__ == "__main__":
    main()
