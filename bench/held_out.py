"""What a right map would score on the held-out blocks of the demo, whose labels are older than its scenes.

    python -m bench.held_out [--demo .]

Run `make demo` before. The model's map and the truth of the same year are scored against the labels, as `evaluate`
scores the model; then the model's map against the truth. Ground that a glacier has left since its outline was drawn
counts as missed in the first two.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
from pathlib import Path

from bench.fresh_process import ROOT
from stages.area.site import pixels_of
from stages.area.year.truth import CLEAN, DEBRIS, read_truth
from stages.common.geo.planes import Bits
from stages.common.model.split import TEST
from stages.common.params.schema import load_params
from stages.common.run.stage import Run
from stages.evaluate.contract import CONTRACT
from stages.evaluate.scene import LabelledScene, load_scene
from stages.evaluate.scores import score


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    with contextlib.chdir(parser.parse_args().demo):
        print_scores()


def print_scores() -> None:
    """Print the scores of the demo in whose folder this runs."""
    run = Run(CONTRACT, load_params(), None, Path(), logging.getLogger("held_out"))
    scene, year = load_scene(run), run.params.evaluate.year
    region = scene.valid & pixels_of(Path(f"artifacts/patches/{year}/split.tif"), TEST)[0]
    (mapped,) = pixels_of(Path(f"artifacts/predict/{year}/mask.tif"), 1)
    truth = read_truth(Path("data/truth/truth.json"), Path("data/truth/surface.tif"))
    if truth is None or scene.debris is None:
        raise SystemExit("nothing is known to be true of a site that is not simulated; give the demo's folder")
    clean, debris = pixels_of(truth.path, CLEAN, DEBRIS, band=truth.bands[year])
    print("| | IoU | area bias | recall of debris-covered ice | recall of clean ice |\n|---|---|---|---|---|")
    true, labels = clean | debris, {"ice": scene.truth, "debris": scene.debris}
    print_row("the model's map, against the labels", scene, mapped, region, **labels)
    print_row("the truth, against the labels", scene, true, region, **labels)
    print_row("the model's map, against the truth", scene, mapped, region, ice=true, debris=debris)


def print_row(name: str, scene: LabelledScene, mapped: Bits, region: Bits, *, ice: Bits, debris: Bits) -> None:
    """Print the scores of a map within a region against `ice`, all (H, W); ice under `debris` is told apart."""
    whole, covered, clean = (
        score(mapped, ice, part, scene.area_km2, scene.grid.pixel_size_m)
        for part in (region, region & ice & debris, region & ice & ~debris)
    )
    print(f"| {name} | {whole.iou:.3f} | {whole.area_bias_pct:+.1f} % | {covered.recall:.3f} | {clean.recall:.3f} |")


if __name__ == "__main__":
    main()
