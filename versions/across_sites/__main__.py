"""Leave-one-site-out: train on all sites but one, score on that one, for each of them.

    python -m versions.across_sites sites/a sites/b sites/c --out DIR

The sites are finished: folders with params.yaml, data/, artifacts/prepare, labels and patches. The sites that follow
the one left out, and then those before it, are learned from; the first of them validates, by its own `train`
parameters. The left-out site's whole scene of `evaluate.year` is scored: against the truth of a simulated site, else
against the outlines. The table is printed and written to DIR/scores.csv. Trainings that have ended are kept in DIR, so
that the same command goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.common.run.start import starting

with starting("across_sites", __name__, command=True):
    from stages.common.errors import ParamsError
    from stages.common.run.exit_code import exit_code_of
    from stages.common.run.outputs import write_table
    from versions.across_sites.scoring import score_on
    from versions.across_sites.table import ScoreRow, mean_row, print_rows
    from versions.across_sites.training import train_on


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, print the table and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m versions.across_sites",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sites", type=Path, nargs="+", metavar="SITE", help="folder of a finished site")
    parser.add_argument("--out", type=Path, required=True, help="folder of the trainings and of scores.csv")
    arguments = parser.parse_args(argv)
    return exit_code_of("across_sites", lambda: leave_each_out(arguments.sites, arguments.out))


def leave_each_out(sites: Sequence[Path], out: Path) -> int:
    """Train without each of `sites` and score on it; return 0.

    Raises
    ------
    ParamsError
        There are less than two sites, one is named twice, or one is not finished.
    """
    require_sites(sites)
    rows = [_row(sites, number, out) for number in range(len(sites))]
    write_table(out / "scores.csv", rows, ScoreRow)
    print_rows([*rows, mean_row(rows)])
    return 0


def _row(sites: Sequence[Path], number: int, out: Path) -> ScoreRow:
    left_out, others = sites[number], [*sites[number + 1 :], *sites[:number]]
    folder = out / f"without-{number + 1}-{left_out.resolve().name}"
    model = train_on(others, folder, {})
    return ScoreRow.of(left_out, others, score_on(left_out, model, folder / "scored"))


def require_sites(sites: Sequence[Path]) -> None:
    """Refuse what cannot be compared, before the first training.

    Raises
    ------
    ParamsError
        There are less than two sites, one is named twice, or one is not finished.
    """
    places = [site.resolve() for site in sites]
    if len(set(places)) < max(len(places), 2):
        raise ParamsError(
            "leave-one-site-out needs different sites", where="the command line",
            expected="two sites or more, each once",
            found=", ".join(map(str, sites)),
            fix="name the folders of finished sites",
        )  # fmt: skip
    for site in sites:
        for path in ("params.yaml", "data/aoi.gpkg", "artifacts/prepare", "artifacts/labels", "artifacts/patches"):
            if not (site / path).exists():
                raise ParamsError(
                    "a site is not finished", where=site, expected="a folder with params.yaml, data/ and artifacts/",
                    found=f"no {path}", fix="`make repro` there, or `dvc pull`",
                )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
