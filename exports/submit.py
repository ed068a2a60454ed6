"""Write a site's outlines and series as GLIMS and the WGMS take them (`make submit`).

As a program: ``python -m exports.submit [ANYWAY=yes]`` in a site's folder.

Exit code: 0 written, 2 refused or something is missing, 3 anything unexpected.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from stages.common.run.start import starting

with starting("submit", __name__, command=True):
    from exports.caveats import ANYWAY, caveats_of, require_no_caveats
    from exports.finished import read_finished
    from exports.glims import write_glims
    from exports.wgms import write_wgms
    from exports.whole import choose
    from review.record import read_review
    from stages.common.errors import InputError, ParamsError
    from stages.common.run.exit_code import exit_code_of
    from stages.common.run.outputs import atomic_folder

SUBMISSION = Path("submission")


def main(words: Sequence[str]) -> int:
    """Write the folder ``submission`` of the site in the working directory; return the exit code."""
    return exit_code_of("submit", lambda: submit(words))


def submit(words: Sequence[str]) -> str:
    """Write the submission and return what to tell the user.

    Raises
    ------
    ParamsError, ContractError, InputError
        A word is unknown, the site has not run, nobody answers for it, or something speaks against handing it on.
    """
    if stray := [word for word in words if word != ANYWAY]:
        raise ParamsError("unknown words", where="make submit", expected=ANYWAY, found=stray, fix=f"use {ANYWAY}")
    site = read_finished(Path())
    review = read_review(Path())
    caveats = caveats_of(site, review)
    require_no_caveats(caveats, anyway=bool(words))
    contact = site.contact
    chosen = choose(site, review)
    if not chosen.rows:
        raise InputError(
            "no glacier can be handed on", where="artifacts/area/area_by_glacier.csv",
            expected="a glacier whose outline lies in the AOI and is seen as a whole",
            found="".join(f"\n    {text}" for text in chosen.left_out) or "no glacier", fix="use a larger AOI",
        )  # fmt: skip
    with atomic_folder(SUBMISSION) as draft:
        write_glims(site, chosen, review, caveats, draft / "glims")
        write_wgms(site, chosen, caveats, draft / "wgms")
    notes = [f"note: {text}" for text in caveats]
    return "\n".join(
        [*notes, f"{SUBMISSION}: {len(chosen.rows)} outlines for GLIMS and the WGMS, by {contact.name}; "
         f"{len(chosen.left_out)} left out (glims/form.json says why)"]
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
