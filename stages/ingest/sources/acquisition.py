"""What every source of imagery gives: acquisitions, and for a simulated site outlines, DEM and truth as well."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from stages.common.errors import InputError
from stages.common.params.schema import Params
from stages.common.scene.scene import Layer, SceneInfo
from stages.ingest.region import Region

log = logging.getLogger("ingest")

Raw = TypeVar("Raw")
Read = TypeVar("Read")

ID_LENGTH_MAX = 200
"""File systems take names of 255 bytes, and files are named by the id and an ending."""


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """One scene that a source has: its metadata, and its layers, which are read when they are asked for."""

    info: SceneInfo
    layers: Callable[[], Iterable[Layer]]
    """Read all layers, clipped and not resampled: the bands in order, ``cloud_mask`` and ``scl`` where they exist."""
    layer_count: int
    """Number of layers that `layers` gives."""
    layer: Callable[[str], Layer | None] | None = None
    """Read one layer by name, also a band that `layers` leaves out; the answer is None where there is no such layer.
    Sources that cannot do so have None here."""
    unfit: str | None = None
    """Why the acquisition can never be taken, by its metadata; None where it can."""


class GoneError(InputError):
    """A file that a catalogue or product names does not exist, so that another scene must be taken."""

    scene_id: str = ""
    """Id of the scene, where it had been chosen already."""


class DamagedError(GoneError):
    """An image of a scene is cut short, is no image or has no CRS, so that another scene must be taken."""


def read_each(
    raws: Iterable[Raw], read: Callable[[Raw], Read], *, what: str, fatal: tuple[type[InputError], ...] = ()
) -> list[Read]:
    """Read items or products one by one, and leave out those that cannot be used, with a warning.

    Parameters
    ----------
    what
        What is left out, as the warning calls it.
    fatal
        Errors that end the reading at once.

    Raises
    ------
    InputError
        All of them are refused: the error of the first. Or one of `fatal`.
    """
    usable: list[Read] = []
    refused: list[InputError] = []
    for raw in raws:
        try:
            usable.append(read(raw))
        except fatal:
            raise
        except InputError as error:
            log.warning("%s: %s (%s); %s is left out", error.where, error.what, error.found, what)
            refused.append(error)
    if refused and not usable:
        raise refused[0]
    return usable


Source = Callable[[Params, Region], Iterator[Acquisition]]
"""Gives the acquisitions over a region for all years of the parameters, by year."""


@dataclass(frozen=True, kw_only=True)
class Supply:
    """What a source gives. Most give imagery only; outlines and DEM are then files that params.yaml names."""

    acquisitions: Source
    outlines: Callable[[Params, Region], Any] | None = None
    """Makes the outlines: a GeoDataFrame in EPSG:4326 with the columns of RGI 7.0."""
    dem: Callable[[Params, Region], Layer] | None = None
    """Makes the elevation in metres."""
    truth: Callable[[Params, Region, Path], None] | None = None
    """Writes ``data/truth/`` of a simulated site."""


def utc_time(text: str) -> dt.datetime:
    """Return a time in UTC; without a time zone it is taken for UTC, whatever the computer's own zone is.

    Raises
    ------
    ValueError
        The text is not a time in ISO 8601.
    """
    time = dt.datetime.fromisoformat(text)
    try:
        return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)
    except OverflowError as error:  # the first or last day of all, in another zone
        raise ValueError(f"{text} is no time in UTC") from error


def scene_id(name: str) -> str:
    """Return a scene's id, which is the name of its folder: letters, digits, ``_``, ``-`` and ``.`` of its `name`.

    It never starts with a dot or dash, so that no name leads out of the folder or hides in it.
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).lstrip(".-")[:ID_LENGTH_MAX] or "scene"
