"""Input drift: the training pixels as a model describes them, and how far a year's pixels are from them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.common.tables.base import Fraction, NotNegative, Record


class BandReference(Record):
    """One band of the training pixels, in groups of about a tenth each; part of the model's metadata."""

    starts: Annotated[list[int], Field(description="first histogram bin of each group but the first")]
    shares: Annotated[list[Fraction], Field(description="share of the training pixels in each group")]
    mean: Annotated[float, Field(description="mean in physical units")]
    std: Annotated[NotNegative, Field(description="standard deviation in physical units")]


class BandDrift(Record):
    """One band of a year's prepared scene against the training pixels."""

    band: str
    psi: Annotated[NotNegative, Field(description="population stability index over the training pixels' groups")]
    mean_shift_sd: Annotated[float, Field(description="mean less the training mean, in training standard deviations")]
    darkest_share: Annotated[
        Fraction | None,
        Field(description="share of the pixels that are as dark as the darkest group, about a tenth, of the training"),
    ] = None
    darkest_share_in_training: Fraction | None = None

    @property
    def floor_shift(self) -> int:
        """Direction in which the darkest pixels have moved: 1 brighter, -1 darker, 0 not, or unknown.

        An offset moves all pixels, so that next to none (a tenth of the usual share) are as dark as before, or nearly
        all are darker. Snow hides ground and leaves shadow and what lies free as dark as it was.
        """
        if self.darkest_share is None or self.darkest_share_in_training is None:
            return 0
        if self.darkest_share < 0.1 * self.darkest_share_in_training:
            return 1
        return -1 if self.darkest_share > (1 + self.darkest_share_in_training) / 2 else 0


class Drift(Record):
    """artifacts/predict/<year>/drift.json."""

    year: int
    pixels: Annotated[int, Field(ge=0, description="number of valid pixels that were compared")]
    bands: list[BandDrift]
    reason: Annotated[str | None, Field(description="reason why nothing was compared")] = None

    @property
    def floor_shift(self) -> int:
        """Direction in which the darkest pixels of all bands have moved: 1 brighter, -1 darker, 0 not all alike."""
        shifts = {band.floor_shift for band in self.bands}
        return shifts.pop() if len(shifts) == 1 else 0

    @property
    def worst(self) -> BandDrift | None:
        """The band that is furthest from the training pixels; None where nothing was compared."""
        return max(self.bands, key=lambda band: band.psi, default=None)


class DriftRow(Record):
    """One band of one year in drift_by_year.csv; a year in which nothing was compared has one row without a band."""

    year: int
    band: str | None = None
    psi: Annotated[NotNegative | None, Field(description="population stability index; above 0.25: a strong shift")] = (
        None
    )
    mean_shift_sd: Annotated[
        float | None, Field(description="mean less the training mean, in training standard deviations")
    ] = None
    darkest_share: Annotated[
        Fraction | None, Field(description="share of the pixels that are as dark as the darkest group of the training")
    ] = None
    darkest_share_in_training: Fraction | None = None
    reason: Annotated[str | None, Field(description="reason why nothing was compared")] = None
