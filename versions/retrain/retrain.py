"""``make retrain``: retrain and compare with main, as CI does: pull, reproduce, push, compare, judge the challenger.

It changes nothing in git and no champion: dvc.lock, metrics and data.dvc are left for a commit, and the gates of
promotion are only tried.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from stages.common.errors import GlacierError, InputError
from stages.common.params.schema import load_params
from stages.common.run.exit_code import exit_code_of
from versions.promote.challenger import challenger_number
from versions.promote.promote import PromotionVerdict, assess, champion_version
from versions.registry.champion import POINTER
from versions.registry.open import open_registry
from versions.retrain.summary import Outcome, base_revision, write_summary
from versions.tools.commands import ROOT, default_remote, environment, last_words, run_dvc
from versions.tools.cut_short import working_on_site
from versions.tools.scratch import temporary_folder

DONE, GATE_FAILED = 0, 1


def retrain(site: Path, base: str | None) -> int:
    """Do everything and print how it ended; each part may be repeated after an interruption.

    Returns
    -------
    int
        0 done, 1 a gate failed (of the areas, or of a promotion) and all else is done, 2 a part failed.
    """
    base = base_revision(site, base)
    pull_error = pull(site)
    code = reproduce(site)
    if code not in (DONE, GATE_FAILED):
        raise InputError(
            "the pipeline did not reach its end", where=site.name, found="a stage failed; its message is above",
            fix="correct the cause and run `make retrain` again: finished stages do not run again",
        )  # fmt: skip
    push_error = push(site)
    verdict, judging_error = judge_results(site)
    outcome = Outcome(
        base=base, pull_error=pull_error, push_error=push_error, sanity_passed=code == DONE, verdict=verdict,
        judging_error=judging_error.what if judging_error else "",
    )  # fmt: skip
    print("\n" + write_summary(site, outcome))
    if push_error:
        raise push_failure(site, push_error)
    if judging_error:
        raise judging_error
    return code if verdict is None or verdict.passed else GATE_FAILED


def targets(site: Path) -> list[str]:
    """Return what DVC keeps of the site: the stages' outputs, the data, the champion."""
    pointers = [name for name in ("data.dvc", str(POINTER)) if (site / name).exists()]
    return ["dvc.yaml", *(name for name in pointers if "md5:" in (site / name).read_text(encoding="utf-8"))]


def pull(site: Path) -> str:
    """Take from the remote what it has; return the error, or nothing. Work goes on: all may be in the cache already."""
    if not default_remote(site):
        return ""
    print(f"pulling from {default_remote(site)}", flush=True)
    done = run_dvc(site, "pull", "--allow-missing", *targets(site))
    if done.returncode:
        print(f"  the pull failed: {last_words(done)}\n  going on with what is on this machine", flush=True)
    return last_words(done) if done.returncode else ""


def reproduce(site: Path) -> int:
    """Run what is out of date, its output as it comes; return the exit code of bin/repro."""
    command = [sys.executable, str(ROOT / "bin/repro"), str(site)]
    return subprocess.run(command, env=environment(), check=False).returncode


def push(site: Path) -> str:
    """Give the results to the remote; return the error, or nothing."""
    remote = default_remote(site)
    if not remote:
        print("no DVC remote is set: results stay in this machine's cache (docs/operations.md)", flush=True)
        return ""
    print(f"pushing to {remote}", flush=True)
    try:
        done = run_dvc(site, "push", *targets(site))
    except KeyboardInterrupt:
        return "interrupted"
    return last_words(done) if done.returncode else ""


def push_failure(site: Path, error: str) -> InputError:
    """Return the error of a push that failed or was interrupted."""
    return InputError(
        "the results are not all on the remote", where=default_remote(site), found=error,
        fix="nothing is lost, all is in this machine's cache: when the remote answers, run `make retrain` again, "
        "or `dvc push`: it sends what is missing",
    )  # fmt: skip


def judge_results(site: Path) -> tuple[PromotionVerdict | None, GlacierError | None]:
    """Return what the gates of a promotion say of the challenger, or why they cannot judge it.

    Neither where the challenger is the champion already.
    """
    params = load_params(site / "params.yaml")
    try:
        with open_registry(params.site.name) as registry, temporary_folder() as folder:
            version, champion = registry.version(challenger_number(site, registry)), champion_version(registry)
            if champion is not None and champion.number == version.number:
                return None, None
            return assess(version, champion, site, params, folder), None
    except GlacierError as error:  # the summary of all else is worth having
        return None, error


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit code of `retrain`."""
    parser = argparse.ArgumentParser(prog="python -m versions.retrain", description=__doc__)
    parser.add_argument("--base", help="git revision to compare with; default: origin/main, else main")
    arguments = parser.parse_args(argv)
    return exit_code_of("retrain", working_on_site("retrain")(lambda: retrain(Path.cwd(), arguments.base)))
