"""``make retrain``: pull, reproduce, push, compare with main, judge the challenger; what a CI calls.

It changes nothing in git and no champion: dvc.lock, metrics and data.dvc are left for a commit, and the gates of
promotion are only tried.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from stages.common.errors import InputError
from stages.common.params.schema import load_params
from versions.promote.logged import challenger
from versions.promote.promote import Verdict, assess
from versions.registry.champion import POINTER
from versions.registry.entry import opened, run
from versions.retrain.summary import Outcome, base_revision, write_summary
from versions.tools.commands import default_remote, dvc, last_words
from versions.tools.scratch import ROOT

DONE, GATE_FAILED, BROKEN = 0, 1, 2


def retrain(site: Path, base: str | None) -> int:
    """Do everything and say how it ended; each part may be repeated after an interruption.

    Returns
    -------
    int
        0 done, 1 a gate failed (of the areas, or of a promotion) and all else is done, 2 a part failed.
    """
    base = base_revision(site, base)
    pulled = pull(site)
    code = reproduce(site)
    if code == BROKEN:
        raise InputError(
            "the pipeline did not come to its end", where=site.name, found="a stage failed, see above",
            fix="mend it and run `make retrain` again: what is done is not done again",
        )  # fmt: skip
    pushed = push(site)
    verdict, unjudged = judged(site)
    outcome = Outcome(
        base=base, pulled=pulled, pushed=pushed, sanity_passed=not code, verdict=verdict,
        unjudged=unjudged.what if unjudged else "",
    )  # fmt: skip
    print("\n" + write_summary(site, outcome))
    if pushed:
        raise unpushed(site, pushed)
    if unjudged:
        raise unjudged
    return code if verdict is None or verdict.passed else GATE_FAILED


def targets(site: Path) -> list[str]:
    """What of the site DVC keeps: the stages' outputs, the data, the champion."""
    pinned = [name for name in ("data.dvc", str(POINTER)) if (site / name).exists()]
    return ["dvc.yaml", *(name for name in pinned if "md5:" in (site / name).read_text(encoding="utf-8"))]


def pull(site: Path) -> str:
    """Take from the remote what it has; what went wrong, or nothing. Work goes on: it may all be here."""
    if not default_remote(site):
        return ""
    print(f"pulling from {default_remote(site)}", flush=True)
    done = dvc(site, "pull", "--allow-missing", *targets(site))
    if done.returncode:
        print(f"  it gives nothing: {last_words(done)}\n  going on with what is here", flush=True)
    return last_words(done) if done.returncode else ""


def reproduce(site: Path) -> int:
    """Run what is out of date, its output as it comes; exit code of bin/repro."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run([ROOT / "bin/repro", site], env=environment, check=False).returncode


def push(site: Path) -> str:
    """Give the results to the remote; what went wrong, or nothing."""
    remote = default_remote(site)
    if not remote:
        print("no DVC remote is set: results stay in this machine's cache (docs/operations.md)", flush=True)
        return ""
    print(f"pushing to {remote}", flush=True)
    try:
        done = dvc(site, "push", *targets(site))
    except KeyboardInterrupt:
        return "interrupted"
    return last_words(done) if done.returncode else ""


def unpushed(site: Path, found: str) -> InputError:
    """The error of a push that failed or was cut short."""
    return InputError(
        "the results are not all on the remote", where=default_remote(site), found=found,
        fix="nothing is lost, all is in this machine's cache: when the remote answers, `make retrain` again, "
        "or `dvc push`: it sends what is missing",
    )  # fmt: skip


def judged(site: Path) -> tuple[Verdict | None, InputError | None]:
    """What the gates of a promotion say of the challenger, or why they cannot; neither: it is the champion already."""
    params = load_params(site / "params.yaml")
    try:
        with opened(params, "the model registry cannot be used") as registry:
            number = challenger(site, registry)
            return (None if number == registry.champion else assess(registry, number, site, params)), None
    except InputError as error:  # a summary of all else is worth having
        return None, error


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: see `retrain`."""
    parser = argparse.ArgumentParser(prog="python -m versions.retrain", description=__doc__)
    parser.add_argument("--base", help="git revision to compare with; default: origin/main, else main")
    arguments = parser.parse_args(argv)
    return run("retrain", lambda: retrain(Path.cwd(), arguments.base))
