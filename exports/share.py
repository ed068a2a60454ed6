"""Write a site's results as a folder that others can read without this project (`make share`).

STAC collection and model item, outlines with the columns of RGI 7.0, tables as a Data Package, provenance as W3C PROV.

As a program: ``python -m exports.share`` in a site's folder.

Exit code: 0 written, 2 something is missing, 3 anything unexpected.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stages.common.run.start import starting

with starting("share", __name__, command=True):
    from exports.caveats import caveats_of, rejected_maps
    from exports.finished import read_finished
    from exports.model_item import write_model
    from exports.prov import write_prov
    from exports.stac import write_collection
    from exports.tables import write_tables
    from review.record import read_review
    from stages.common.run.exit_code import exit_code_of
    from stages.common.run.outputs import atomic_folder

SHARED = Path("share")


def main() -> int:
    """Write the folder ``share`` of the site in the working directory; return the exit code."""
    return exit_code_of("share", share)


def share() -> str:
    """Write the folder and return what to tell the user. What speaks against the results stands in the files.

    Raises
    ------
    ParamsError, ContractError, InputError
        The site has not run, or a file is not what its contract says.
    """
    site = read_finished(Path())
    review = read_review(Path())
    caveats = caveats_of(site, review) + rejected_maps(site, review)
    with atomic_folder(SHARED) as draft:
        write_collection(site, caveats, draft)
        write_model(site, draft / "model")
        write_tables(site, caveats, draft / "tables")
        write_prov(site, caveats, draft / "prov.json")
    return "\n".join(
        [*(f"note: {text}" for text in caveats), f"{SHARED}: {len(site.years)} years; open collection.json"]
    )


if __name__ == "__main__":
    sys.exit(main())
