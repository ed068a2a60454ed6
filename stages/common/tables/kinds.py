"""The artefacts of this project, each defined once: what `data/` and `artifacts/` hold."""

from __future__ import annotations

from dataclasses import replace

from stages.common.run.artefacts import Arrays, Blob, Json, Model, Raster, Table, Vector, Yaml
from stages.common.tables import area as tables_area
from stages.common.tables import change as tables_change
from stages.common.tables import drift as tables_drift
from stages.common.tables import evaluate as tables_evaluate
from stages.common.tables import learning as tables_learning
from stages.common.tables import truth as tables_truth
from stages.common.tables.base import AnyDocument, FeatureCollection
from stages.common.tables.data import AuxiliaryManifest, SceneChoiceRow, SceneIndex
from stages.common.tables.fusion import FusionModel
from stages.common.tables.labels import GlacierRow
from stages.common.tables.prepare import Passes, Provenance
from stages.common.tables.review import Review, ReviewRow
from stages.common.tables.track import Tracked

IGNORE = 255
"""Label of pixels that neither train nor score: ignore bands, hidden pixels, outside the AOI."""

MASK_NODATA = 255
"""Mask value where no valid pixel was seen."""

DN_SCALE, DN_OFFSET = 1e-4, -0.1
"""Sentinel-2 DN to reflectance from processing baseline 04.00 on (QUANTIFICATION_VALUE, BOA_ADD_OFFSET)."""

PROBABILITY_SCALE, PROBABILITY_NODATA = 1e-4, 65535
"""probability.tif holds 0-10000."""

ROLES = ("train", "validation", "test", "buffer", "outside", "calibration")
"""Roles of a pixel in the spatial split; the value in split.tif is the position in this tuple."""

RGI7_COLUMNS = (
    "rgi_id", "glac_name", "area_km2", "src_date", "cenlon", "cenlat", "termlon", "termlat", "zmin_m", "zmax_m",
)  # fmt: skip
"""RGI 7.0 names of the attributes that travel through, whatever version came in; unknown values are null."""

FLOW_LINE_COLUMNS = ("rgi_id", "glac_name", "flow_line")
"""Attributes of flow_lines.gpkg of `area`; `flow_line` says where the line comes from."""

FRONT_COLUMNS = ("rgi_id", "glac_name", "year", "position_m", "position_sigma_m", "retreat_m")
"""Attributes of fronts.gpkg, as in terminus_by_year.csv."""

CORRECTION_COLUMNS = ("rgi_id", "year", "by", "at")
"""Attributes of review.gpkg: the glacier, the year of the map, who drew its outline, and when."""

# --- data/ -------------------------------------------------------------------------------------------------------

OUTLINES = Vector(summary="Glacier outlines with RGI 7.0 column names, valid polygons, EPSG:4326", columns=RGI7_COLUMNS)
AOI = Vector(summary="Area of interest: one polygon, in the CRS it was given in", columns=())
AUXILIARY = Json(summary="Which optional inputs exist (dem, debris, flow lines)", model=AuxiliaryManifest)
DEM = Raster(
    summary="Elevation in metres, on its own grid",
    dtype=("int16", "float32"),
    nodata=(None, -32768.0, -9999.0),
    grid_bound=False,
    optional=True,
)
DEBRIS = Vector(summary="Debris cover: polygons, EPSG:4326", columns=(), may_be_empty=True, optional=True)
FLOW_LINES = Vector(
    summary="Flow lines from head to front, one a glacier, EPSG:4326",
    columns=("rgi_id",),
    geometry="LineString",
    may_be_empty=True,
    optional=True,
)
REVIEW = Yaml(summary="What a person decided on the maps, where somebody has looked", model=Review, optional=True)
CORRECTIONS = Vector(
    summary="Outlines drawn by hand in place of mapped ones, EPSG:4326", columns=CORRECTION_COLUMNS, optional=True
)
SCENE_ITEMS = Json(summary="Year's list of STAC items with COG assets, one asset a band", model=SceneIndex)
SCENE_CHOICE = Table(summary="Every candidate scene, its scores, and why it was taken or not", row=SceneChoiceRow)
CATALOG = Json(summary="Static, self-contained STAC catalogue of all items", model=AnyDocument)

TRUTH = Json(summary="What is true of a simulated site; of a real one nothing is known", model=tables_truth.Truth)
TRUE_SURFACE = Raster(
    summary="A band a year: 0 no glacier, 1 clean ice, 2 debris-covered ice",
    dtype="uint8",
    values=(0, 1, 2),
    optional=True,
)

# --- prepare -----------------------------------------------------------------------------------------------------

SCENE = Raster(
    summary="Harmonised scene: Sentinel-2 DN (uint16, scale 1e-4, offset -0.1, nodata 0) or 8-bit RGB as it is",
    dtype=("uint16", "uint8"),
    nodata=(0.0, None),
)
VALID = Raster(summary="1 where the surface was seen, 0 elsewhere", dtype="uint8", values=(0, 1))
PROVENANCE = Json(summary="Where each pixel of the year comes from", model=Provenance)

PASSES = Json(summary="Passes of a year, where they are kept apart", model=Passes, optional=True)
PASS_SCENE = replace(SCENE, summary="One pass, as scene.tif holds the year", optional=True)
PASS_VALID = replace(VALID, summary="1 where that pass has seen the surface, 0 elsewhere", optional=True)

# --- labels ------------------------------------------------------------------------------------------------------

GLACIER = Raster(summary="0 background, 1 glacier, 255 ignore", dtype="uint8", values=(0, 1, IGNORE))
HELD_OUT_LABEL = Raster(
    summary="0 background, 1 glacier, 255 around fronts, which may have moved since; the boundary is labelled",
    dtype="uint8", values=(0, 1, IGNORE),
)  # fmt: skip
GLACIER_ID = Raster(summary="0 none, else the position (from 1) in glaciers.csv; no ignore band", dtype="uint16")
DEBRIS_MASK = Raster(
    summary="1 within the debris outlines, where they are given", dtype="uint8", values=(0, 1), optional=True
)
GLACIERS = Table(summary="The glaciers of glacier_id.tif", row=GlacierRow)

# --- patches -----------------------------------------------------------------------------------------------------

PATCHES = Arrays(
    summary="Patches with margin: raw pixels, label, visibility (0: hidden, zeroed), upper left pixel in the grid",
    arrays={
        "image": (("uint16", "uint8"), 4),
        "label": (("uint8",), 3),
        "visible": (("uint8",), 3),
        "row": (("int32",), 1),
        "column": (("int32",), 1),
    },
)
SPLIT = Raster(
    summary="0 train, 1 validation, 2 test, 3 buffer, 4 outside AOI, 5 calibration",
    dtype="uint8",
    values=tuple(range(len(ROLES))),
)
SPLIT_MAP = Json(summary="The split as polygons, to look at on a map", model=FeatureCollection)
STATS = Json(summary="Band statistics of the training part, and what the pixels are", model=tables_learning.PatchStats)

# --- train -------------------------------------------------------------------------------------------------------

MODEL = Model(
    summary="ONNX U-Net: reflectance (N, H, W, C) float32, NaN where invalid -> calibrated glacier probability "
    "(N, H, W, 1); of an ensemble also that of each member (N, H, W, M)",
)
WEIGHTS = Blob(summary="Keras weights", media_type="application/x-hdf5", magic=(b"\x89HDF",))
ARCHITECTURE = Json(summary="Keras architecture", model=AnyDocument)
HISTORY = Table(summary="Learning curve, one row an epoch", row=tables_learning.EpochRow)
MODEL_CARD = Json(summary="How the model was made and what it needs", model=tables_learning.ModelCard)
LEARNED_FROM = Json(
    summary="What the model has learned from beyond its site: patches of other sites, the model it started from",
    model=tables_learning.LearnedFrom,
    optional=True,
)

TRAIN_METRICS = Json(
    summary="Validation score, and what the model's bits depend on", model=tables_learning.TrainMetrics
)

# --- evaluate ----------------------------------------------------------------------------------------------------

GLACIER_SCORES = Table(summary="Held-out scores of each glacier", row=tables_evaluate.GlacierScoreRow)
PRECISION_RECALL = Table(summary="Precision and recall by threshold, pooled", row=tables_evaluate.PrecisionRecallRow)
RELIABILITY = Table(
    summary="Predicted probability against observed glacier fraction", row=tables_evaluate.ReliabilityRow
)
SLICES = Table(summary="Pooled held-out scores by surface and by size of glacier", row=tables_evaluate.SliceRow)
BLOCKS = Table(summary="What was mapped and labelled in each held-out block", row=tables_evaluate.BlockRow)
EVALUATE_METRICS = Json(summary="Held-out scores beside the baselines", model=tables_evaluate.EvaluateMetrics)

# --- predict -----------------------------------------------------------------------------------------------------

PROBABILITY = Raster(
    summary="Glacier probability", dtype="uint16", nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE, offset=0.0
)
HELD_OUT = Raster(
    summary="Glacier probability of held-out pixels, by a model that saw nothing of them; nodata elsewhere",
    dtype="uint16", nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE, offset=0.0,
)  # fmt: skip
CROSSVAL_METRICS = Json(summary="Scores pooled over the folds", model=tables_evaluate.CrossvalMetrics)
MASK = Raster(summary="1 glacier, 0 not, 255 not seen", dtype="uint8", nodata=MASK_NODATA, values=(0, 1, MASK_NODATA))
PASS_MASKS = replace(MASK, summary="The mask of each pass, a band a pass", optional=True)
MAP_MODEL = Json(summary="What the map's model says of itself", model=tables_learning.MapModel)
VOTES = Raster(
    summary="Of an ensemble: bit m - 1 is set where member m calls the pixel glacier",
    dtype="uint16",
    optional=True,
)

DRIFT = Json(summary="How far the scene's pixels are from the training pixels", model=tables_drift.Drift, optional=True)

# --- area --------------------------------------------------------------------------------------------------------

AREAS = Table(summary="Glacier area per year", row=tables_area.AreaRow)
GLACIER_AREAS = Table(summary="Area of each glacier per year", row=tables_area.GlacierAreaRow)
SEASONS = Table(
    summary="Area of each pass of a year, over the pixels that all its passes have seen",
    row=tables_area.SeasonRow,
    optional=True,
)
MAPPED_OUTLINES = Vector(
    summary="Mapped outlines of a year, with holes, RGI 7.0 names", columns=RGI7_COLUMNS, may_be_empty=True
)
DRIFTS = Table(
    summary="Each year's pixels against the training pixels, by band", row=tables_drift.DriftRow, optional=True
)
GLACIER_TRENDS = Table(summary="Change of each glacier tested", row=tables_area.GlacierTrendRow, optional=True)
FRONTS = Table(summary="Ice front of each glacier per year", row=tables_area.FrontRow, optional=True)
FRONT_TRENDS = Table(summary="Retreat of each glacier's front", row=tables_area.FrontTrendRow, optional=True)
USED_FLOW_LINES = Vector(
    summary="Flow lines along which the fronts are measured, from head to beyond the front",
    columns=FLOW_LINE_COLUMNS, geometry="LineString", may_be_empty=True,
)  # fmt: skip
FRONT_LINES = Vector(
    summary="Front of each glacier per year: a straight line across the tongue at its mean position",
    columns=FRONT_COLUMNS, geometry="LineString", may_be_empty=True,
)  # fmt: skip
CHANGES = Table(
    summary="Lost, gained, unchanged and unseen ice of each glacier per year", row=tables_area.ChangeRow, optional=True
)
CHANGE_MAP = Raster(
    summary="Against the first year: 0 no glacier, 1 unchanged ice, 2 lost, 3 gained, 255 not seen in one of the two",
    dtype="uint8",
    nodata=MASK_NODATA,
    values=(0, 1, 2, 3, MASK_NODATA),
    optional=True,
)
REVIEWED = Table(summary="Who looked at what, and when", row=ReviewRow, optional=True)
SERIES = Json(summary="The tables' rows with all their digits", model=tables_area.AreaSeries)
TREND = Json(summary="Change over the years, or why there is none to state", model=tables_area.Trend)
CHANGE_AREAS = Table(
    summary="Change product: ice where glaciers can change, per year", row=tables_change.ChangeAreaRow, optional=True
)
CHANGE_TREND = Json(
    summary="Change product: change per year from images alone", model=tables_change.ChangeTrend, optional=True
)
FUSION = Json(summary="Outlines product: what image and inventory outline count for", model=FusionModel, optional=True)
GATES = Json(summary="What each sanity gate found", model=tables_area.Gates)
TRUTH_BY_YEAR = Table(
    summary="Mapped against true glacier, simulated sites only", row=tables_truth.TruthRow, optional=True
)
AREA_METRICS = Json(summary="Headline figures of the series", model=tables_area.AreaMetrics)

# --- report ------------------------------------------------------------------------------------------------------

PNG = Blob(summary="Picture", media_type="image/png", magic=(b"\x89PNG",))
GIF = Blob(summary="Time-lapse", media_type="image/gif", magic=(b"GIF89a",))
HTML = Blob(summary="Self-contained page", media_type="text/html", magic=(b"<!doctype html>", b"<!DOCTYPE html>"))

GEOPACKAGE = Blob(
    summary="Series as vectors with their styles: outlines of all years, unseen ground, flow lines, fronts",
    media_type="application/geopackage+sqlite3",
    magic=(b"SQLite format 3\x00",),
)
QGIS_PROJECT = Blob(
    summary="QGIS project of the results, with relative paths", media_type="application/zip", magic=(b"PK\x03\x04",)
)

# --- track -------------------------------------------------------------------------------------------------------

TRACKED = Json(summary="Hash of what was logged", model=Tracked)
