"""`make crossval`: each fold of ``crossval.folds`` as a DVC experiment, their held-out maps pooled into one.

    cd <site> && python -m versions.crossval

A fold is `dvc exp run --temp` with another `patches.test_fold` (and the next one to validate), up to `evaluate`: it
runs beside the working tree, takes from DVC's cache what has been run before, and stands in `dvc exp show` as
``crossval-<site>-<fold>``. So an interrupted run goes on where it was. The results are taken from the cache, by the
experiment's dvc.lock.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.common.run.start import starting

with starting("crossval", __name__, command=True):
    from stages.common.errors import InputError, ParamsError
    from stages.common.params.schema import Params, load_params
    from stages.common.revision import run_git
    from stages.common.run.contracts import check_files
    from stages.common.run.documents import locked_stages, parse_lock
    from stages.common.run.exit_code import exit_code_of
    from stages.common.run.outputs import atomic_folder
    from stages.evaluate.crossval_contract import CONTRACT
    from versions.crossval_runs import log_crossval
    from versions.tools.commands import environment, require, run_dvc, stream_dvc

FOLDS = Path("artifacts/folds")

SCENE_AND_LABELS = {path: kind for path, kind in CONTRACT.inputs.items() if "{folds}" not in path}
"""What the pooling reads of the site itself: that it is absent is said before hours of training."""


def main() -> int:
    """Run the folds and pool them, in a site's folder; return the exit code, which is that of a stage."""
    return exit_code_of("crossval", cross_validate)


def cross_validate() -> int:
    """Run the folds, collect and pool their results, log them with MLflow; return the exit code of the pooling."""
    params = load_params()
    _require_folds(params)
    check_files(SCENE_AND_LABELS, Path(), params, None)
    names = {fold: run_fold(params, fold) for fold in params.crossval.folds}
    with atomic_folder(FOLDS) as draft:
        for fold, name in names.items():
            collect(name, params, draft / str(fold))
    command = [sys.executable, "-m", "stages.evaluate.crossval"]
    if not (code := subprocess.run(command, env=environment(), check=False).returncode):
        log_crossval(params)
    return code


def _require_folds(params: Params) -> None:
    if not params.crossval.folds:
        folds = list(range(params.patches.folds))
        raise ParamsError(
            "the cross-validation is switched off",
            where="params.yaml: crossval.folds",
            expected=f"folds of the split, as {folds}",
            found="[]",
            fix=f"set `crossval: {{folds: {folds}}}`; each fold is a training of its own",
        )


def run_fold(params: Params, fold: int) -> str:
    """Run a fold's experiment, or take it from DVC's cache, and return its name.

    Raises
    ------
    InputError
        It failed; DVC and the stage have said why.
    """
    name = f"crossval-{params.site.name}-{fold}"
    drop_experiment(name)
    print(f"crossval: fold {fold}, experiment {name}", flush=True)
    changes = {"patches.test_fold": fold, "patches.validation_fold": (fold + 1) % params.patches.folds}
    settings = [part for key, value in changes.items() for part in ("--set-param", f"{key}={value}")]
    if stream_dvc(Path(), "exp", "run", "--temp", "--name", name, *settings, "evaluate"):
        raise InputError(
            f"fold {fold} failed", where=f"experiment {name}", expected="`dvc exp run` succeeds",
            found="an error; its message is above",
            fix="run `make repro` first; then `make crossval` again, which goes on with this fold",
        )  # fmt: skip
    return name


def drop_experiment(name: str) -> None:
    """Remove an experiment of this name on this commit: DVC refuses the name, or forces all stages to run again."""
    reference = _reference(name)
    if reference in _git("for-each-ref", "--format=%(refname)", reference).split():
        _git("update-ref", "-d", reference)


def collect(name: str, params: Params, folder: Path) -> None:
    """Copy what the pooling reads from the experiment's results into `folder`."""
    revision, prefix = _reference(name), _git("rev-parse", "--show-prefix")
    lock = parse_lock(_git("show", f"{revision}:{prefix}dvc.lock"), f"experiment {name}: dvc.lock")
    _require_same_inputs(lock, params, name)
    folder.mkdir(parents=True)
    patches = f"patches@{params.evaluate.year}"
    copy_output(lock[patches]["outs"], f"artifacts/patches/{params.evaluate.year}", "split.tif", folder)
    copy_output(lock["evaluate"]["outs"], "artifacts/evaluate", "held_out.tif", folder)
    metrics = _git("show", f"{revision}:{prefix}metrics/evaluate.json")
    (folder / "evaluate.json").write_text(f"{metrics}\n", encoding="utf-8")


def _require_same_inputs(lock: Mapping[str, Any], params: Params, name: str) -> None:
    """Refuse to pool a fold with a scene or labels that are not those it was tested on."""
    current = locked_stages(Path("dvc.lock"))
    for stage in (f"prepare@{params.evaluate.year}", "labels"):
        if current.get(stage, {}).get("outs") != lock[stage]["outs"]:
            raise InputError(
                f"the outputs of {stage} are not those that a fold was tested on", where=f"dvc.lock, experiment {name}",
                expected="the same scene and labels", found="others: something has changed since the last run",
                fix="run `make repro`, then `make crossval` again",
            )  # fmt: skip


def copy_output(outs: Sequence[dict[str, Any]], path: str, file: str, folder: Path) -> None:
    """Copy one file of the output folder `path`, as dvc.lock names it, out of DVC's cache.

    Raises
    ------
    InputError
        The cache does not hold it.
    """
    listing = cached_file(next(out["md5"] for out in outs if out["path"] == path))
    for entry in json.loads(listing.read_text(encoding="utf-8")):
        if entry["relpath"] == file:
            shutil.copyfile(cached_file(entry["md5"]), folder / file)
            return
    raise InputError("an experiment lacks a result", where=f"{path}/{file}", fix="run `make crossval` again")


def cached_file(md5: str) -> Path:
    """Return the file with this MD5 in DVC's cache.

    Raises
    ------
    InputError
        The cache does not hold it.
    """
    path = cache_folder() / md5[:2] / md5[2:]
    if not path.is_file():
        raise InputError("DVC's cache does not hold a result", where=path, fix="run `make crossval` again")
    return path


@functools.cache
def cache_folder() -> Path:
    """Return the folder in which DVC's cache keeps content by its MD5."""
    folder = require(
        run_dvc(Path(), "cache", "dir"), what="DVC does not print where its cache is", fix="run `dvc cache dir`"
    )
    return Path(folder, "files/md5")


def _reference(name: str) -> str:
    """Return the git reference in which DVC keeps an experiment that starts from the present commit."""
    head = _git("rev-parse", "HEAD")
    return f"refs/exps/{head[:2]}/{head[2:]}/{name}"


def _git(*arguments: str) -> str:
    return require(
        run_git(Path(), *arguments),
        what="git cannot find the present commit, or an experiment that starts from it",
        fix="commit the site: experiments start from a commit",
    )


if __name__ == "__main__":
    raise SystemExit(main())
