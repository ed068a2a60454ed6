"""What inventories ask of a year's images: instrument, original ids, day of acquisition."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from exports.finished import Finished
from stages.common.errors import ParamsError
from stages.common.tables.prepare import SceneSource

INSTRUMENTS = (
    (r"sentinel-?2|^S2[A-D]_|TWIN_", "MSI"),
    (r"landsat-?[89]|^L[CO]0?[89]", "OLI"),
    (r"landsat-?7|^LE0?7", "ETM+"),
    (r"landsat-?[45]|^LT0?[45]", "TM"),
    (r"landsat-?[1-3]|^LM0?[1-5]", "MSS"),
    (r"^AST_|terra.aster", "ASTER"),
)
"""Pattern of a platform or of a product's id, and the short name of its instrument."""

DAYS_OF_HALF_A_YEAR = 183


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images of one year."""

    instrument: str
    ids: list[str]
    day: dt.date
    day_uncertainty: int
    """Days by which the images of the year differ from `day`; half a year where the day is not known."""


def images_of(site: Finished, year: int) -> Images:
    """Return what is known of the images of a year.

    Raises
    ------
    ParamsError
        Neither the images nor params.yaml state the instrument.
    """
    provenance = site.provenance[year]
    days = [dt.date.fromisoformat(text) for text in (source.date for source in provenance.sources) if text]
    main = dt.date.fromisoformat(provenance.date) if provenance.date else None
    day = main or (max(days) if days else dt.date(year, 7, 1))
    spread = max((abs((date - day).days) for date in days), default=DAYS_OF_HALF_A_YEAR)
    stated = site.contact.instrument
    instruments = {instrument_of(source) or stated for source in provenance.sources}
    if None in instruments:
        raise ParamsError(
            "the images do not state their instrument", where="params.yaml: site.contact.instrument",
            expected="the instrument's short name, as ETM+ or MSI", found=provenance.sources[0].id,
            fix="add it there, for example `instrument: ETM+`",
        )  # fmt: skip
    return Images(
        instrument=", ".join(sorted(map(str, instruments))),
        ids=[source.id for source in provenance.sources],
        day=day,
        day_uncertainty=spread,
    )


def instrument_of(source: SceneSource) -> str | None:
    """Return the instrument that a platform or an id states; None where neither does."""
    texts = [text for text in (source.platform, source.id, source.product) if text]
    for pattern, instrument in INSTRUMENTS:
        if any(re.search(pattern, text, re.IGNORECASE) for text in texts):
            return instrument
    return None
