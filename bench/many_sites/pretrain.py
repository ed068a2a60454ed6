"""A starting model for `train.initial_model`, from seeds: one training on many simulated sites.

    python -m bench.many_sites.pretrain --seeds 1..8 --out models/start [--like SITE] [--folder DIR]

Each seed is a terrain of its own, with a season and a change that follow from the seed. Bands, storage, pixels,
patches and the parameters of the training are those of `--like` (the demo), as a site that shall start from the model
needs them. The first seed's site validates. `dvc add` versions the folder; the last lines say what to write into
params.yaml.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.many_sites.twins import make_twins_like, seeds_in
from stages.common.params.schema import load_params
from stages.common.run.outputs import atomic_folder
from stages.common.run.records import folder_md5
from versions.across_sites.training import train_on


def main(argv: Sequence[str] | None = None) -> int:
    """Make twins and the model; return 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", required=True, help="seeds of the terrains, as 1..8")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--like", type=Path, default=Path(), help="site whose kind of scenes and training is taken")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-start"), help="twins, kept and used again")
    arguments = parser.parse_args(argv)
    like = load_params(arguments.like / "params.yaml")
    sites = make_twins_like(like, seeds_in(arguments.seeds), arguments.folder)
    write_start(train_on(sites, arguments.folder / f"train-{arguments.seeds}", {}), arguments.out)
    return 0


def write_start(model: Path, out: Path) -> None:
    """Copy a model to `out` whole, and say how it is versioned and used."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(out, scratch=out.parent / ".tmp") as draft:
        shutil.copytree(model, draft, dirs_exist_ok=True)
    shutil.rmtree(out.parent / ".tmp", ignore_errors=True)
    print(f"dvc add {out}    # versions it; git keeps {out.name}.dvc")
    print("params.yaml of a site that starts from it, with the path as seen from the site's folder:")
    print(f"  train: {{initial_model: {{path: {out}, md5: {folder_md5(out)}}}}}")


if __name__ == "__main__":
    raise SystemExit(main())
