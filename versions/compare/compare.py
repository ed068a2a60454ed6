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

from stages.common import logs
from stages.common.errors import GlacierError
from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.raster import gdal_env, read_band, read_grid
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.params.schema import load_params
from stages.common.run.outputs import atomic_folder, write_json
from stages.common.types import BoolArray, UInt8Array
from versions.compare import blocks, console, difference, pictures
from versions.compare.judge import judge
from versions.compare.mapping import Mapped, mapped
from versions.compare.names import resolve
from versions.compare.objects import Objects
from versions.compare.page import draw_page
from versions.compare.tables import Comparison, Side
from versions.compare.version import Version, lock_of
from versions.compare.workspace import AOI, GLACIER_ID, Workspace
from versions.registry.registered import Registry

FOLDER = Path("compare")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 compared, 2 a name means nothing or a version cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m versions.compare", description="Compare two versions of a site.")
    parser.add_argument("a", help="workspace, experiment, git revision, or registered model's version or alias")
    parser.add_argument("b", help="the same; differences are B minus A")
    arguments = parser.parse_args(argv)
    log = logs.configure("compare")
    try:
        comparison, folder = compare(Path.cwd(), arguments.a, arguments.b)
    except GlacierError as error:
        log.error("%s", error)
        return error.exit_code
    print(f"\n{console.text(comparison)}\n\n  Page      {folder / 'compare.html'}")
    return 0


def compare(site: Path, name_a: str, name_b: str) -> tuple[Comparison, Path]:
    """Compare two versions of the site in folder `site`, which is the working directory.

    Returns
    -------
    What was found, and the folder, relative to the site's, that holds it.
    """
    params = load_params(site / "params.yaml")
    with ExitStack() as stack, gdal_env():
        objects = Objects(site)
        stack.callback(objects.close)
        workspace = Workspace(site=site, params=params, lock=lock_of(site), objects=objects)
        workspace.check()
        fetched = Path(stack.enter_context(TemporaryDirectory(prefix="glacier-models-")))
        registry = Registry(params.site.name)
        versions = [
            resolve(name, site, objects=objects, registry=registry, folder=fetched) for name in (name_a, name_b)
        ]
        a, b = (stack.enter_context(mapped(one, workspace)) for one in versions)
        comparison, drawn = describe(workspace, versions, (a, b))
        folder = FOLDER / f"{_slug(name_a)}--{_slug(name_b)}"
        write(folder, comparison, drawn)
    return comparison, folder


def describe(
    workspace: Workspace, versions: Sequence[Version], both: tuple[Mapped, Mapped]
) -> tuple[Comparison, Mapping[str, bytes]]:
    """The comparison, and its pictures by file name."""
    site, params = workspace.site, workspace.params
    a, b = both
    grid = read_grid(site / GLACIER_ID)
    ids, area_km2 = read_band(site / GLACIER_ID), pixel_area_km2(grid)
    aoi = pixels_inside(read_polygons(site / AOI, grid.crs).geometry, grid)
    maps = [difference.classes(a, b, year) for year in params.years]
    areas = difference.year_rows(a, b, maps, aoi, area_km2)
    tested = params.years.index(params.evaluate.year)
    held_out = blocks.held_out(versions, workspace)
    rows = blocks.confusion(maps[tested], ids > 0, held_out, area_km2)
    comparison = Comparison(
        site=params.site.name,
        title=params.site.title,
        simulated=params.site.simulated,
        years=params.years,
        year_tested=params.evaluate.year,
        a=_side(versions[0], a),
        b=_side(versions[1], b),
        same_model=versions[0].model_md5 == versions[1].model_md5,
        params=difference.param_rows(*versions),
        metrics=difference.metric_rows(*versions),
        areas=areas,
        glaciers=difference.glacier_rows(a, b),
        blocks=rows,
        judgement=judge(rows, left_out=held_out.left_out, unknown=held_out.unknown),
        mean_dispute_fraction=difference.dispute_fraction(areas),
    )
    return comparison, draw(comparison, maps, ids > 0, grid)


def draw(comparison: Comparison, maps: Sequence[UInt8Array], prior: BoolArray, grid: Grid) -> dict[str, bytes]:
    """Pictures by file name."""
    drawn = {
        "difference.png": pictures.difference_map(comparison, maps, prior, grid),
        "areas.png": pictures.area_graph(comparison),
    }
    return drawn | ({"years.png": pictures.small_maps(comparison, maps, grid)} if len(maps) > 1 else {})


def write(folder: Path, comparison: Comparison, drawn: Mapping[str, bytes]) -> None:
    """Put everything into `folder`, whole or not at all."""
    with atomic_folder(folder, scratch=FOLDER / ".tmp") as out:
        write_json(out / "compare.json", comparison)
        (out / "compare.html").write_text(draw_page(comparison, drawn), encoding="utf-8")
        for name, content in drawn.items():
            (out / name).write_bytes(content)


def _side(version: Version, one: Mapped) -> Side:
    return Side(
        name=version.name, kind=version.kind, commit=version.commit, model_md5=version.model_md5, bands=one.bands,
        maps=one.said, notes=list(version.notes),
    )  # fmt: skip


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)
