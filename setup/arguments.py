"""What a user asks `make site` for: words such as ``NAME=mine``."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from stages.common import settings
from stages.common.errors import ParamsError
from stages.common.params.ingest import StacSourceParams
from stages.ingest.counting import counted

USAGE = (
    'make site NAME=mine SCENES="a.tif b.tif" OUTLINES=rgi.gpkg [DEM=dem.tif] [AOI=aoi.gpkg] [DATES="2020-10-06 ..."] '
    '[BANDS="B02 B03 ..."]; or, from a catalogue: make site NAME=mine RGI_ID=<id> (or AOI=aoi.gpkg) OUTLINES=rgi.shp '
    "YEARS=2016-2024 [SEASON=09-20:11-10] [PROFILE=earth-search-c1] [URL=<address>] [DEM=dem.tif]"
)
"""All that the command takes."""

SITE_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
FIRST_YEAR, LAST_YEAR = 1972, 2100
"""Years that params.yaml takes; Landsat 1 was launched in 1972."""

FIRST_CATALOGUE_YEAR = 2015
"""Year in which Sentinel-2A was launched: catalogues have no scenes of before."""

PROFILES: tuple[str, ...] = get_args(StacSourceParams.model_fields["profile"].annotation)
"""Catalogues that `ingest` knows."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The words, taken apart and checked by themselves."""

    name: str
    scenes: tuple[Path, ...] = ()
    outlines: Path
    dem: Path | None = None
    aoi: Path | None = None
    rgi_id: str | None = None
    years: tuple[int, ...] = ()
    season: tuple[str, str] | None = None
    profile: str | None = None
    url: str | None = None
    dates: tuple[dt.date, ...] = ()
    """Day of each scene, in their order."""
    bands: tuple[str, ...] = ()
    """Names of the bands of each scene, in the file's order."""

    @property
    def from_catalogue(self) -> bool:
        """Whether the scenes are to be fetched."""
        return not self.scenes


def parse_arguments(words: Sequence[str]) -> Arguments:
    """Return the arguments that words such as ``NAME=mine`` state; empty ones count as absent.

    Raises
    ------
    ParamsError
        A word is unknown or cannot be read, one is missing, or two contradict each other.
    """
    texts = _texts(words)
    _check_together(texts)
    name = texts["NAME"]
    if not SITE_NAME.fullmatch(name):
        raise wrong("NAME", "up to 63 lower-case letters, digits and hyphens, a letter first", name)
    scenes = tuple(path for pattern in _listed("SCENES", texts) for path in _files("SCENES", pattern))
    _check_distinct(scenes)
    dates = tuple(_date(text) for text in _parts("DATES", texts))
    if dates and len(dates) != len(scenes):
        expected = f"a date for each of {counted(len(scenes), 'scene')}, in their order"
        raise wrong("DATES", expected, counted(len(dates), "date"))
    files = {key: _one_file(key, texts) for key in ("OUTLINES", "DEM", "AOI")}
    if files["OUTLINES"] is None:
        raise wrong("OUTLINES", "a file of glacier outlines", "nothing")
    return Arguments(
        name=name,
        scenes=scenes,
        outlines=files["OUTLINES"],
        dem=files["DEM"],
        aoi=files["AOI"],
        rgi_id=texts.get("RGI_ID"),
        years=_years(texts["YEARS"]) if "YEARS" in texts else (),
        season=_season(texts["SEASON"]) if "SEASON" in texts else None,
        profile=_profile(texts.get("PROFILE")),
        url=_url(texts.get("URL")),
        dates=dates,
        bands=tuple(_parts("BANDS", texts)),
    )


def _texts(words: Sequence[str]) -> dict[str, str]:
    keys = [field.name.upper() for field in fields(Arguments)]
    texts = dict(word.partition("=")[::2] for word in words)
    if unknown := [key for key in texts if key not in keys]:
        raise ParamsError("unknown words", where="make site", expected=", ".join(keys), found=unknown, fix=USAGE)
    return {key: text.strip() for key, text in texts.items() if text.strip()}


def _check_together(texts: dict[str, str]) -> None:
    catalogue = "SCENES" not in texts
    needed = ["NAME", "OUTLINES", *(["YEARS"] if catalogue else [])]
    needless = ["DATES", "BANDS"] if catalogue else ["RGI_ID", "YEARS", "PROFILE", "URL", "SEASON"]
    if catalogue and not ("RGI_ID" in texts or "AOI" in texts):
        raise _incomplete("nothing says where the glacier is", "SCENES, RGI_ID or AOI", texts)
    if missing := [key for key in needed if key not in texts]:
        raise _incomplete(f"{' and '.join(missing)} missing", ", ".join(needed), texts)
    if contrary := [key for key in needless if key in texts]:
        kind = "from a catalogue" if catalogue else "of your own scenes"
        raise _incomplete(f"a site {kind} takes no {', '.join(contrary)}", f"no {contrary[0]}", texts)
    if "RGI_ID" in texts and "AOI" in texts:
        raise _incomplete("RGI_ID and AOI both say where the site is", "one of them", texts)


def _incomplete(what: str, expected: str, texts: dict[str, str]) -> ParamsError:
    return ParamsError(what, where="make site", expected=expected, found=", ".join(texts) or "nothing", fix=USAGE)


def wrong(key: str, expected: str, actual: object, *, fix: str = "") -> ParamsError:
    """Return the error of one word."""
    return ParamsError(
        f"{key} is not valid", where=f"make site {key}=", expected=expected, found=actual, fix=fix or USAGE
    )


def _listed(key: str, texts: dict[str, str]) -> list[str]:
    """Return the parts of a list; a part with blanks stands in quotes, or has a backslash before each of them."""
    try:
        return shlex.split(texts.get(key, ""))
    except ValueError as error:
        raise wrong(key, "parts with blanks between them", f"{texts[key]} ({error})") from error


def _parts(key: str, texts: dict[str, str]) -> list[str]:
    """Return the parts of a list in which no part holds a blank or a comma."""
    return [part for part in re.split(r"[,\s]+", texts.get(key, "")) if part]


def _check_distinct(scenes: Sequence[Path]) -> None:
    whole = [path.resolve() for path in scenes]
    if twice := [path.name for place, path in enumerate(whole) if path in whole[:place]]:
        raise wrong("SCENES", "each file once", f"{twice[0]} twice", fix="leave one out, or correct the pattern")


def _profile(text: str | None) -> str | None:
    if text and text not in PROFILES:
        raise wrong("PROFILE", ", ".join(PROFILES), text, fix="take one of these; URL= names another catalogue like it")
    return text


def _url(text: str | None) -> str | None:
    try:
        parts = urlsplit(text or "http://none")
        if parts.scheme in ("http", "https") and parts.hostname:
            return text
    except ValueError:
        pass
    raise wrong("URL", "an address as https://stac.example.org/v1", text, fix="correct the address, or leave URL out")


def _files(key: str, pattern: str) -> list[Path]:
    path = _at_home(pattern)
    if path.exists() or not re.search(r"[*?\[]", pattern):
        return [_checked(key, path)]
    try:
        files = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    except ValueError:  # ** within a name
        files = []
    if not files:
        raise wrong(key, "files", f"{pattern}, which no file matches", fix="correct the pattern")
    return [_checked(key, file) for file in files]


def _one_file(key: str, texts: dict[str, str]) -> Path | None:
    return _checked(key, _at_home(texts[key])) if key in texts else None


def _at_home(text: str) -> Path:
    """Return the path with ``~`` replaced; as it stands where there is no such user, or no home."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def _checked(key: str, path: Path) -> Path:
    if not path.is_file():
        raise wrong(key, "a file", f"{path}: {'a folder' if path.is_dir() else 'no such file'}", fix="correct the path")
    if variables := settings.variables_in(str(path)):
        raise wrong(
            key, "a path without $: params.yaml takes it for a variable", f"{path}, with {variables}",
            fix="rename the file or its folder, or set a link to it",
        )  # fmt: skip
    return path


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise wrong("DATES", "days as 2020-10-06", text) from error


def _years(text: str) -> tuple[int, ...]:
    newest = dt.date.today().year + 1  # south of the equator a year begins in July of the one before
    years: set[int] = set()
    for part in re.split(r"[,\s]+", text):
        match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not FIRST_CATALOGUE_YEAR <= first <= last <= newest:
            expected = f"years of {FIRST_CATALOGUE_YEAR} to {newest}, as 2016-2024, or 2016 2018 2024"
            raise wrong("YEARS", expected, text, fix="correct YEARS; Sentinel-2 has scenes since 2015")
        years |= set(range(first, last + 1))
    return tuple(sorted(years))


def _season(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"(\d\d-\d\d):(\d\d-\d\d)", text)
    try:
        for day in match.groups() if match else ("",):
            dt.date.fromisoformat(f"2000-{day}")
    except ValueError as error:
        raise wrong("SEASON", "first and last day as 09-20:11-10 (MM-DD)", text) from error
    assert match is not None
    return match[1], match[2]
