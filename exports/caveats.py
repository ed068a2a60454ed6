"""What speaks against handing results on: refused, or, where the user insists, said inside every file."""

from __future__ import annotations

from collections.abc import Sequence

from exports.edits import drawn_attributes, not_taken_in
from exports.finished import Finished
from review.record import version_of
from stages.common.errors import InputError
from stages.common.tables.review import Review

ANYWAY = "ANYWAY=yes"
"""Word by which `make submit` hands on results in spite of the caveats."""


def caveats_of(site: Finished, review: Review | None) -> list[str]:
    """Return what speaks against handing the results on, a sentence each.

    Parameters
    ----------
    review
        Review of the site; None where nobody has looked.
    """
    caveats = ["These data are simulated: nothing of them is a measurement."] if site.params.site.simulated else []
    for finding in site.findings:
        if not finding.passed or finding.overridden:
            state = "failed and was overridden" if finding.overridden else "failed"
            caveats.append(f"The gate {finding.gate} {state}: {finding.message}.")
    return caveats + unseen_by_a_person(site, review) + not_taken_in(site)


def unseen_by_a_person(site: Finished, review: Review | None) -> list[str]:
    """Return which years' maps nobody has accepted, or in another version."""
    if review is None:
        return ["Nobody has reviewed these maps."]
    looked = {row.year: row for row in review.years}
    missing = [year for year in site.params.years if year not in looked]
    shown = [year for year in site.params.years if year in looked and looked[year].decision == "accept"]
    stale = [year for year in shown if version_of(site.root, year) != looked[year].maps]
    texts = [f"Nobody has reviewed the map of {years_text(missing)}."] if missing else []
    return texts + ([f"The review of {years_text(stale)} is of another version of the map."] if stale else [])


def rejected_maps(site: Finished, review: Review | None) -> list[str]:
    """Return sentences on maps and glaciers that a person has rejected: `submit` leaves them out, `share` says it."""
    years = review.rejected_years if review else ()
    glaciers = sorted(review.rejected_glaciers(drawn_attributes(site))) if review else []
    texts = [f"A person has rejected the map of {years_text(years)}."] if years else []
    return texts + [
        f"A person has rejected the outline of {rgi_id} in {year}." for year, rgi_id in glaciers if year not in years
    ]


def require_no_caveats(caveats: Sequence[str], *, anyway: bool) -> None:
    """Refuse to hand on results with caveats, unless the user insists.

    Raises
    ------
    InputError
        There are caveats.
    """
    if caveats and not anyway:
        raise InputError(
            "these results are not ready to be handed on", where="artifacts/area",
            expected="a real site, no failed gate, and maps that a person has accepted (`make review`)",
            found="".join(f"\n    {text}" for text in caveats),
            fix=f"mend what is listed, or add {ANYWAY}: then every file says it",
        )  # fmt: skip


def years_text(years: Sequence[int]) -> str:
    """Return years as ``2016, 2018 and 2020``."""
    *first, last = map(str, years)
    return f"{', '.join(first)} and {last}" if first else last
