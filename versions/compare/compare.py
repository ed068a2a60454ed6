"""Compare two versions of a site: ``python -m versions.compare A B`` in the site's folder (`make compare`).

Writes ``compare/<A>--<B>/`` with compare.json, compare.html and its pictures, and prints a table. Nothing else of the
working tree is touched.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.raster import gdal_env, read_band, read_grid
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.params.schema import load_params
from stages.common.run.exit_code import exit_code_of
from stages.common.run.outputs import atomic_folder, write_json
from stages.common.types import BoolArray, UInt8Array
from versions.compare import blocks, difference, pictures
from versions.compare.console import comparison_text
from versions.compare.judge import judge_blocks
from versions.compare.map_data import map_document
from versions.compare.mapping import MappedVersion, map_version
from versions.compare.names import ModelNames, resolve_version
from versions.compare.objects import Objects
from versions.compare.page import comparison_page
from versions.compare.tables import Side, VersionComparison
from versions.compare.version import Version, lock_of
from versions.compare.workspace import AOI, GLACIER_ID, Workspace

FOLDER = Path("compare")


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 compared, 2 a name means nothing or a version cannot be fetched."""
    parser = argparse.ArgumentParser(prog="python -m versions.compare", description="Compare two versions of a site.")
    parser.add_argument("a", help="workspace, experiment, git revision, or registered model's version or alias")
    parser.add_argument("b", help="the same; differences are B minus A")
    arguments = parser.parse_args(argv)
    return exit_code_of("compare", lambda: compared_text(Path.cwd(), arguments.a, arguments.b))


def compared_text(site: Path, name_a: str, name_b: str) -> str:
    """Compare two versions; return the comparison as text, with the path of its page."""
    comparison, folder = compare_versions(site, name_a, name_b)
    return f"\n{comparison_text(comparison)}\n\n  Page      {folder / 'compare.html'}"


def compare_versions(site: Path, name_a: str, name_b: str) -> tuple[VersionComparison, Path]:
    """Compare two versions of the site in folder `site`, which is the working directory.

    Returns
    -------
    The comparison, and the folder, relative to the site's, that holds it.
    """
    params = load_params(site / "params.yaml")
    with ExitStack() as stack, gdal_env():
        objects = Objects(site)
        stack.callback(objects.close)
        workspace = Workspace(site=site, params=params, lock=lock_of(site), objects=objects)
        workspace.check()
        fetched = Path(stack.enter_context(TemporaryDirectory(prefix="glacier-models-")))
        models = ModelNames(params.site.name)
        versions = [
            resolve_version(name, site, objects=objects, models=models, folder=fetched) for name in (name_a, name_b)
        ]
        a, b = (stack.enter_context(map_version(version, workspace)) for version in versions)
        comparison, drawn, document = build_comparison(workspace, versions, (a, b))
        folder = FOLDER / f"{_slug(name_a)}--{_slug(name_b)}"
        write_comparison(folder, comparison, drawn, document)
    return comparison, folder


def build_comparison(
    workspace: Workspace, versions: Sequence[Version], both: tuple[MappedVersion, MappedVersion]
) -> tuple[VersionComparison, Mapping[str, bytes], Mapping[str, Any]]:
    """Return the comparison, its pictures by file name, and what its map shows."""
    site, params = workspace.site, workspace.params
    a, b = both
    grid = read_grid(site / GLACIER_ID)
    ids, area_km2 = read_band(site / GLACIER_ID), pixel_area_km2(grid)
    aoi = pixels_inside(read_polygons(site / AOI, grid.crs).geometry, grid)
    maps = [difference.difference_classes(a, b, year) for year in params.years]
    areas = difference.year_differences(a, b, maps, aoi, area_km2)
    tested = params.years.index(params.evaluate.year)
    comparable = blocks.comparable_blocks(versions, workspace)
    rows = blocks.block_areas(maps[tested], ids > 0, comparable, area_km2)
    comparison = VersionComparison(
        site=params.site.name,
        title=params.site.title,
        simulated=params.site.simulated,
        years=params.years,
        year_tested=params.evaluate.year,
        a=_side(versions[0], a),
        b=_side(versions[1], b),
        same_model=versions[0].model_md5 == versions[1].model_md5,
        params=difference.param_differences(*versions),
        metrics=difference.metric_differences(*versions),
        product=";".join(sorted({row.product for row in difference.read_series(a.areas).years})),
        areas=areas,
        glaciers=difference.glacier_differences(a, b),
        blocks=rows,
        judgement=judge_blocks(rows, left_out=comparable.left_out, unknown=comparable.unknown),
        mean_dispute_fraction=difference.dispute_fraction(areas),
    )
    return comparison, draw_pictures(comparison, maps, ids > 0, grid), map_document(site, params, both, maps)


def draw_pictures(
    comparison: VersionComparison, maps: Sequence[UInt8Array], prior: BoolArray, grid: Grid
) -> dict[str, bytes]:
    """Return the pictures by file name."""
    drawn = {
        "difference.png": pictures.difference_map(comparison, maps, prior, grid),
        "areas.png": pictures.area_graph(comparison),
    }
    return drawn | ({"years.png": pictures.small_maps(comparison, maps, grid)} if len(maps) > 1 else {})


def write_comparison(
    folder: Path, comparison: VersionComparison, drawn: Mapping[str, bytes], document: Mapping[str, Any]
) -> None:
    """Write everything into `folder`, whole or not at all."""
    with atomic_folder(folder, scratch=FOLDER / ".tmp") as out:
        write_json(out / "compare.json", comparison)
        (out / "compare.html").write_text(comparison_page(comparison, drawn, document), encoding="utf-8")
        for name, content in drawn.items():
            (out / name).write_bytes(content)


def _side(version: Version, mapped: MappedVersion) -> Side:
    return Side(
        name=version.name, kind=version.kind, commit=version.commit, model_md5=version.model_md5, bands=mapped.bands,
        maps=mapped.origin, notes=list(version.notes), product=version.area_product,
    )  # fmt: skip


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)
