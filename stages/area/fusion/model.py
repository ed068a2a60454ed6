"""State how much an image and an old outline say of a pixel, and estimate how far the fronts have moved.

The log odds that a pixel is glacier are the sum of two. The image gives w(h) (logit p - logit t): p its probability, t
the model's threshold, h the height between the glacier's front (0) and its head (1). The outline gives -(d + m) / s: d
metres beyond it, m how far the margin has gone back since, s how far it may have moved either way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit, logit

from stages.common.model.probability import stored_levels
from stages.common.types import AnyArray, Float32Array, Float64Array, UInt16Array

IMAGE_WEIGHT_FRONT, IMAGE_WEIGHT_HEAD = 0.8, 0.4
"""Weight of an image's log odds at front and head: neighbouring pixels err together, and at the head snow on rock and
snow on ice look alike. Estimated on twins of known truth (`python -m bench.transfer.fusion`)."""

DRAWN_M = 13.0
"""Scale of the error of an outline where nothing has changed since, metres; estimated on the same twins."""

DECAY = 6.0
"""How fast the movement of a margin falls off with height, exp(-DECAY h): a glacier goes back at its front. The best
values of twins lie between 5 and 12 and give nearly the same maps."""

SPREAD_M_PER_YEAR = (0.05, 20.0)
"""Bounds of the scale of movements at the fronts, metres a year."""

RETREAT_M_PER_YEAR = (-20.0, 20.0)
"""Bounds of the mean movement at the fronts; positive: back. Beyond lie surges and calving."""

SURE = 1e-4
"""Probabilities count as at least this and at most one less this: that is the step in which they are stored."""


LARGEST_ODDS = 30
"""Log odds count as at most this, either way: their probability is stored as 0 or 1 long before."""


@dataclass(frozen=True)
class Movement:
    """Movement of a site's fronts since the outlines were drawn, metres a year."""

    retreat: float
    """Mean; positive: back."""
    spread: float
    """Scale of the movements about the mean."""


@dataclass(frozen=True)
class Evidence:
    """N pixels near outlines, one year after another: what fitting needs of them."""

    image: Float64Array
    """(N,) log odds of the image."""
    beyond_m: Float64Array
    height: Float64Array
    age: Float64Array
    """(N,) years since the outline."""


def image_evidence(probability: Float32Array, height: AnyArray, threshold: float) -> Float32Array:
    """Return the log odds that an image gives, 0 where its probability is at the model's threshold; any shape."""
    weight = IMAGE_WEIGHT_FRONT + (IMAGE_WEIGHT_HEAD - IMAGE_WEIGHT_FRONT) * height
    sure = np.clip(probability, SURE, 1 - SURE)
    at_threshold = float(logit(min(max(threshold, SURE), 1 - SURE)))
    return np.asarray(weight * (logit(sure) - at_threshold), dtype=np.float32)


def outline_evidence(movement: Movement, beyond_m: AnyArray, height: AnyArray, age: AnyArray) -> AnyArray:
    """Return the log odds that an outline gives, all of one shape."""
    return _outline_evidence(movement, beyond_m, np.exp(-DECAY * height) * age)


def _outline_evidence(movement: Movement, beyond_m: AnyArray, moved: AnyArray) -> AnyArray:
    return -(beyond_m + movement.retreat * moved) / np.hypot(DRAWN_M, movement.spread * moved)


def estimate_movement(pixels: Evidence, *, has_height: bool) -> Movement:
    """Estimate the movement under which the images are most likely, rounded to a centimetre a year.

    Nobody says which pixel is glacier: a pixel's likelihood is the mean of "glacier" and "none", each weighted by what
    the outline says of it (marginal likelihood; the E-step of Saerens et al. 2002 at each place against the outline).
    Without heights it is not known where fronts are, and no mean retreat is estimated.
    """
    retreat = RETREAT_M_PER_YEAR if has_height else (0.0, 0.0)
    bounds = [retreat, tuple(np.log(SPREAD_M_PER_YEAR))]
    moved, half = np.exp(-DECAY * pixels.height) * pixels.age, pixels.image / 2

    def cost(values: Float64Array) -> float:
        movement = Movement(float(values[0]), float(np.exp(values[1])))
        outline = _outline_evidence(movement, pixels.beyond_m, moved)
        return -float(np.logaddexp(half + log_expit(outline), -half + log_expit(-outline)).mean())

    if not len(pixels.image):
        return Movement(0.0, SPREAD_M_PER_YEAR[0])
    starts = [(0.0, 0.0), (min(3.0, retreat[1]), 1.0)]
    results = [minimize(cost, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(results, key=lambda result: float(result.fun)).x
    return Movement(round(float(best[0]), 2) + 0.0, round(float(np.exp(best[1])), 2))


def decisive_m(movement: Movement, age: float) -> float:
    """Return the distance in metres from an outline `age` years old beyond which no image changes the stored level."""
    most = 2 * max(IMAGE_WEIGHT_FRONT, IMAGE_WEIGHT_HEAD) * float(logit(1 - SURE))  # of an image
    moved = abs(movement.retreat) * age
    return (LARGEST_ODDS + most) * float(np.hypot(DRAWN_M, movement.spread * age)) + moved


def probability_levels(evidence: Float32Array) -> UInt16Array:
    """Return log odds as levels of probability 0-10000, any shape."""
    probability = 1 / (1 + np.exp(-np.clip(evidence, -LARGEST_ODDS, LARGEST_ODDS)))
    return stored_levels(probability.astype(np.float32))
