"""The parameters of a new site, section by section, each value with its reason."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import urlsplit

from setup.arguments import Arguments
from setup.lines import Line, Section
from setup.place import Place
from setup.scenes import COLOURS, SceneFile
from setup.sky import OVERPASS_H, middle_of, season_at, solar_azimuth_deg
from setup.split import Split
from stages.common.errors import InputError
from stages.common.params.area import GatesParams
from stages.common.params.ingest import SeasonParams
from stages.common.params.learning import PatchesParams
from stages.ingest.counting import counted
from stages.ingest.season import AUSTRAL_YEAR, CALENDAR_YEAR, season_dates, year_of
from stages.ingest.sources.band_names import is_canonical
from stages.labels.age import FRONT_M_PER_YEAR, MARGIN_M_PER_YEAR, outline_age

SENTINEL2_BANDS = ["B02", "B03", "B04", "B08", "B11", "B12"]
TRAINING_YEARS = 3
"""Years to train on, of those nearest to the outlines' dates: more show more weather, and each costs time."""

MARGIN_PX = PatchesParams.model_fields["margin_px"].default
NATURAL = ["B04", "B03", "B02"]
DEFAULT_PROFILE = "earth-search-c1"


def content(arguments: Arguments, scenes: Sequence[SceneFile], place: Place, split: Split) -> Section:
    """Return the whole of params.yaml."""
    starts = AUSTRAL_YEAR if place.latitude < 0 else CALENDAR_YEAR
    years = sorted({scene_year(scene, starts) for scene in scenes}) if scenes else list(arguments.years)
    dates = [str(date) for date in place.outlines["src_date"].dropna()]
    training = _training_years(years, dates)
    bands, storage, why = _bands(scenes)
    return {
        "site": {"name": Line(arguments.name), "title": Line(_title(arguments, place))},
        "years": Line(years, "" if arguments.years else "those of the scenes"),
        "training_years": Line(training, f"nearest to the outlines ({_span(sorted({d[:4] for d in dates}))})"),
        "grid": {"crs": place.crs, "pixel_size_m": place.pixel_size_m, "origin_m": place.origin_m},
        "ingest": _ingest(arguments, scenes, place),
        "prepare": {
            "bands": Line(bands, why),
            "storage": Line(storage, "8 bits as they are" if storage == "rgb8" else "reflectance"),
            **_coregister(years, bands, storage),
        },
        "labels": _labels(dates, training),
        "patches": split.lines,
        "train": _train(arguments, scenes, place, split, training),
        "evaluate": {"year": Line(_nearest(training, dates)[0], "the training year nearest to the outlines")},
        "crossval": {"folds": Line([], "off; [0, 1, 2, 3, 4] tests every fold by a training of its own")},
        "predict": {"model": Line("artifacts/train/model.onnx", "the model that this site trains")},
        "area": Line({}, "defaults; DVC asks for the section"),
        "gates": Line({}, "bounds beyond which a number cannot be true: defaults; DVC asks for the section"),
        "report": {"rgb": Line(_rgb(bands))},
    }


def scene_year(scene: SceneFile, starts: str) -> int:
    """Return the year of the series that a scene is of, years beginning on `starts` (MM-DD)."""
    return year_of(scene.day, starts) if scene.day else int(scene.year or 0)


def _title(arguments: Arguments, place: Place) -> str:
    named = place.outlines.dropna(subset=["glac_name"])
    if arguments.rgi_id:
        named = named[named["rgi_id"] == arguments.rgi_id]
    largest = named.loc[named.geometry.area.idxmax(), "glac_name"] if len(named) else ""
    if arguments.rgi_id:
        return str(largest) or arguments.rgi_id
    return f"{arguments.name}: {largest} and its neighbours" if largest and len(place.outlines) > 1 else arguments.name


def _nearest(years: Sequence[int], dates: Sequence[str]) -> list[int]:
    """Return the years, those nearest to the outlines' mean age first."""
    ages = {year: fmean(outline_age(date, [year]) for date in _or_undated(dates)) for year in years}
    return sorted(years, key=lambda year: (ages[year], year))


def _training_years(years: Sequence[int], dates: Sequence[str]) -> list[int]:
    return sorted(_nearest(years, dates)[:TRAINING_YEARS])


def _bands(scenes: Sequence[SceneFile]) -> tuple[list[str], str, str]:
    """Return the bands of the prepared scenes, their storage, and why."""
    if not scenes:
        return SENTINEL2_BANDS, "sentinel2", "visible light, near and short-wave infrared: clean ice, snow, debris"
    kinds = {scene.eight_bit_colour for scene in scenes}
    shared = [band for band in scenes[0].bands if all(band in scene.bands for scene in scenes)]
    if len(kinds) > 1 or not shared:
        raise InputError(
            "the scenes have no bands in common" if not shared else "some scenes are of 8 bits, others are not",
            where="make site SCENES=",
            expected="scenes of one kind",
            found="; ".join(f"{scene.path.name}: {' '.join(scene.bands)}" for scene in scenes[:5]),
            fix="make a site of each kind, or name the bands alike with BANDS",
        )
    if kinds == {True}:
        return shared, "rgb8", scenes[0].bands_why
    spectral = [band for band in shared if is_canonical(band)] or shared
    return spectral, "sentinel2", scenes[0].bands_why


def _rgb(bands: Sequence[str]) -> list[str]:
    for choice in (NATURAL, COLOURS):
        if set(choice) <= set(bands):
            return list(choice)
    return [bands[min(position, len(bands) - 1)] for position in range(3)]


def _coregister(years: Sequence[int], bands: Sequence[str], storage: str) -> dict[str, Any]:
    if storage == "rgb8" or len(years) < 2:
        return {}
    band = "B04" if "B04" in bands else bands[0]
    return {"coregister": Line({"band": band}, "scenes of a series may lie a third of a pixel apart")}


def _labels(dates: Sequence[str], training: Sequence[int]) -> Section:
    ages = sorted({outline_age(date, training) for date in _or_undated(dates)})
    spans = [
        f"{per_year:g} m a year; outlines {_span([f'{age:g}' for age in ages])} years from the training scenes, "
        f"so {_span([f'{age * per_year:g}' for age in ages])} m"
        for per_year in (MARGIN_M_PER_YEAR, FRONT_M_PER_YEAR)
    ]
    return {
        "boundary_ignore_m": Line("by_age", spans[0]),
        "terminus_ignore_m": Line("by_age", f"{spans[1]} around the front"),
    }


def _train(
    arguments: Arguments, scenes: Sequence[SceneFile], place: Place, split: Split, training: Sequence[int]
) -> Section:
    days = [scene.day for scene in scenes if scene.day]
    season = season_of(arguments, place)
    day = days[0] if days else middle_of((season["first"].value, season["last"].value), training[-1])
    azimuth = round(solar_azimuth_deg(day, place.latitude))
    batch = {256: 2, 128: 4, 64: 8}[split.size_px]
    return {
        "batch_size": Line(batch, f"{batch} patches a step, each {split.size_px} px and {MARGIN_PX} px around it"),
        "augmentation": {
            "mirror_azimuth_deg": Line(
                azimuth % 360,
                f"the sun's at {_clock(OVERPASS_H)} solar time on {day:%d %B}, at {abs(place.latitude):.0f} "
                f"{'N' if place.latitude >= 0 else 'S'}",
            )
        },
    }


def season_of(arguments: Arguments, place: Place) -> dict[str, Line]:
    """Return `ingest.season`, with the reason."""
    first, last, why = season_at(place.latitude)
    if arguments.season:
        (first, last), why = arguments.season, "SEASON"
    return {"first": Line(first, why), "last": Line(last)}


def year_starts(arguments: Arguments, place: Place) -> dict[str, Line]:
    """Return `ingest.year_starts` where the day that goes by latitude would lie within the season."""
    lines = season_of(arguments, place)
    season = SeasonParams(first=lines["first"].value, last=lines["last"].value)
    usual = AUSTRAL_YEAR if place.latitude < 0 else CALENDAR_YEAR
    fitting = [
        starts
        for starts in (usual, CALENDAR_YEAR, AUSTRAL_YEAR, season.first)
        if season_dates(2001, season, starts)[0] <= season_dates(2001, season, starts)[1]
    ]
    if fitting[0] == usual:
        return {}
    return {"year_starts": Line(fitting[0], f"the usual {usual} lies within the season; a year is named by its end")}


def _ingest(arguments: Arguments, scenes: Sequence[SceneFile], place: Place) -> Section:
    outlines = {"path": Line(arguments.outlines, f"within the AOI: {counted(len(place.outlines), 'outline')}")}
    auxiliary: Section = {"auxiliary": {"dem": Line(arguments.dem, "DEM")}} if arguments.dem else {}
    if scenes:
        listed = [
            _scene_lines(scene)
            for scene in sorted(scenes, key=lambda scene: scene.day or dt.date(scene.year or 1, 1, 1))
        ]
        source: Section = {"source": Line("raster", "your own GeoTIFFs"), "raster": {"scenes": listed}}
    else:
        source = {
            "source": Line("stac", "a catalogue"),
            "stac": _stac(arguments),
            "season": season_of(arguments, place),
            **year_starts(arguments, place),
        }
    return {**source, "outlines": outlines, "aoi": place.aoi, **auxiliary}


def _scene_lines(scene: SceneFile) -> Section:
    when = {"date": Line(scene.day.isoformat())} if scene.day else {"year": Line(scene.year, "the name states no day")}
    level = {"processing_level": Line(scene.level, "by the file's name")} if scene.level else {}
    baseline = {"processing_baseline": Line(scene.baseline, "by the file's name")} if scene.baseline else {}
    bands = {"bands": Line(list(scene.bands), scene.bands_why)}
    return {"path": Line(scene.path), **when, **bands, **level, **baseline, **scene.calibration}


def _stac(arguments: Arguments) -> Section:
    profile = arguments.profile or DEFAULT_PROFILE
    why = "PROFILE" if arguments.profile else "needs no keys, and has all years in one processing"
    lines = {"profile": Line(profile, why)}
    if arguments.url:
        lines["url"] = Line(arguments.url, "URL")
        if _is_private(arguments.url):
            lines["private_addresses"] = Line(True, "the address is in your own network")
    return lines


def _is_private(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost"


def warnings(place: Place) -> list[str]:
    """Return what the user should know before the first run."""
    ice_m2 = place.outlines.geometry.intersection(place.aoi_shape).union_all().area
    ratio, least = place.aoi_shape.area / ice_m2, GatesParams().aoi_to_outlines_ratio_min
    if ratio >= least:
        return []
    return [
        f"the AOI has {ratio:.2f} times the outlines' area, and the gate aoi_to_outlines_ratio asks for {least:g}: the "
        "last stage will fail. Give scenes of more ground without glacier; or name the gate in gates.override, and "
        "look whether the maps call everything ice"
    ]


def _or_undated(dates: Sequence[str]) -> Sequence[str | None]:
    return dates or [None]


def _span(texts: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys((texts[0], texts[-1]))) if texts else "not dated"


def _clock(hours: float) -> str:
    return f"{int(hours)}.{round(hours % 1 * 60):02d} h"


def with_paths(entry: Any, site: Path, root: Path) -> Any:
    """Return sections with their paths as params.yaml has them: relative to the site in the repository, else whole."""
    if isinstance(entry, Line):
        return Line(_path_text(entry.value, site, root), entry.why) if isinstance(entry.value, Path) else entry
    if isinstance(entry, Mapping):
        return {key: with_paths(item, site, root) for key, item in entry.items()}
    return [with_paths(item, site, root) for item in entry]


def _path_text(path: Path, site: Path, root: Path) -> str:
    whole = Path(os.path.abspath(path))  # noqa: PTH100 (links stay as the user named them)
    return os.path.relpath(whole, site) if whole.is_relative_to(root) else str(whole)
