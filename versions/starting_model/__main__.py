"""A model that sites start from, in the folder of its params.yaml: a twin of one seed, or the training on all of them.

    python -m versions.starting_model twin SEED
    python -m versions.starting_model train

`dvc repro` of the dvc.yaml there runs both. A twin has bands, pixels, labels and patches as params.yaml says; its
terrain, season and change follow from the seed. The twin of the first seed validates.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.common.run.start import starting

with starting("starting_model", __name__):
    from stages.common.errors import ParamsError
    from stages.common.run.exit_code import exit_code_of
    from stages.common.run.records import folder_md5
    from versions.starting_model.params import StartParams, read_params
    from versions.starting_model.training import TWINS, train_start
    from versions.starting_model.twins import make_twin


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, make a twin or the model, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m versions.starting_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("twin", help="simulate the site of a seed and cut its patches").add_argument("seed", type=int)
    steps.add_parser("train", help="train on the patches of all seeds")
    arguments = parser.parse_args(argv)
    if arguments.step == "twin":
        return exit_code_of("starting_model", lambda: twin(read_params(), arguments.seed))
    return exit_code_of("starting_model", lambda: model(read_params()))


def twin(start: StartParams, seed: int) -> str:
    """Make the twin of a seed that params.yaml names; return a sentence.

    Raises
    ------
    ParamsError
        It names no such seed.
    """
    if seed not in start.seeds:
        raise ParamsError(
            "this seed is not one of the model's", where="params.yaml: seeds", expected=f"one of {start.seeds}",
            found=seed, fix="name one of these, or add it",
        )  # fmt: skip
    make_twin(start, seed, TWINS / str(seed))
    return f"twin {seed} has its patches in {TWINS / str(seed)}"


def model(start: StartParams) -> str:
    """Train the model; return a sentence that says how a site starts from it."""
    folder = train_start(start)
    pin = f"{{path: ../../models/{Path.cwd().name}/{folder}, md5: {folder_md5(folder)}}}"
    return f"a site of sites/ starts from it with `train: {{initial_model: {pin}}}`"


if __name__ == "__main__":
    raise SystemExit(main())
