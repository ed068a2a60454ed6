"""A starting model for `train.initial_model`, from seeds: one training on many simulated sites.

    python -m bench.many_sites.pretrain --seeds 601..608 --out DIR/start [--like SITE] [--folder DIR] [--epochs N]

Each seed is a terrain of its own, with a season and a change that follow from the seed. Bands, storage, pixels,
patches and the parameters of the training are those of `--like` (the demo), as a site that shall start from the model
needs them; where it stores 8-bit RGB, twins are shown as Landsat 7 would (bench.many_sites.landsat). The first seed's
site validates. The last lines say what to write into params.yaml. A model that is kept has its own pipeline instead, as
models/start has.
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
    parser.add_argument("--epochs", type=int, help="epochs of the training, instead of the site's own")
    arguments = parser.parse_args(argv)
    like = load_params(arguments.like / "params.yaml")
    sites = make_twins_like(like, seeds_in(arguments.seeds), arguments.folder)
    training = like.train.model_dump(mode="json", exclude={"more_patches", "initial_model"})
    if arguments.epochs:
        training |= {"epochs": arguments.epochs, "patience_epochs": arguments.epochs}
    write_start(train_on(sites, arguments.folder / f"train-{arguments.seeds}", training), arguments.out)
    return 0


def write_start(model: Path, out: Path) -> None:
    """Copy a model to `out` whole, and say how it is used."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(out, scratch=out.parent / ".tmp") as draft:
        shutil.copytree(model, draft, dirs_exist_ok=True)
    shutil.rmtree(out.parent / ".tmp", ignore_errors=True)
    print("params.yaml of a site that starts from it, with the path as seen from the site's folder:")
    print(f"  train: {{initial_model: {{path: {out}, md5: {folder_md5(out)}}}}}")


if __name__ == "__main__":
    raise SystemExit(main())
