"""`make site-index`: one page over all sites, with their reports beside it, in a folder that can be published as it is.

    python -m versions.site_index            in the repository's root

The folder is ``public/``: ``index.html``, and for each site that has results ``<site>/index.html``, its report.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.common.run.start import starting

with starting("site-index", __name__, command=True):
    from stages.common.display.phrases import CHANGE_PRODUCT, COMMON_AREA, SIMULATED, products_of
    from stages.common.display.rounding import area_text, decimals_of
    from stages.common.drawing.pages import data_uri, page_templates
    from stages.common.errors import InputError
    from stages.common.gates import all_findings
    from stages.common.params.schema import Params, load_params
    from stages.common.run.exit_code import exit_code_of
    from stages.common.run.outputs import atomic_folder
    from stages.common.run.records import read_document
    from stages.common.tables.area import AreaSeries, Gates, Trend
    from stages.common.tables.change import ChangeTrend
    from stages.common.tables.evaluate import EvaluateMetrics

PUBLIC = Path("public")
TEMPLATES = Path(__file__).parent / "templates"
REPORT, GRAPH = Path("artifacts/report/index.html"), Path("artifacts/report/glacier_retreat_graph.png")


@dataclass(frozen=True)
class Card:
    """A figure and its name."""

    name: str
    figure: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A site as the page shows it; without results all but the first three are empty."""

    name: str
    title: str
    simulated: bool
    page: str = ""
    cards: Sequence[Card] = ()
    change: str = ""
    graph: str = ""


def main() -> int:
    """Write the folder; return the exit code."""
    return exit_code_of("site-index", lambda: write_index(Path()))


def write_index(root: Path) -> str:
    """Write `public/` below the root and say where it is.

    Raises
    ------
    InputError
        No site has results.
    """
    folders = {"demo": root, **{path.parent.name: path.parent for path in sorted(root.glob("sites/*/params.yaml"))}}
    entries = [entry_of(name, folder) for name, folder in folders.items()]
    if not any(entry.page for entry in entries):
        raise InputError("no site has results yet", where=root.resolve(), fix="`make demo`, or `make repro SITE=name`")
    with atomic_folder(root / PUBLIC, scratch=root / "artifacts/.tmp") as draft:
        for entry in entries:
            if entry.page:
                (draft / entry.name).mkdir()
                shutil.copyfile(folders[entry.name] / REPORT, draft / entry.page)
        template = page_templates(TEMPLATES).get_template("site_index.html")
        (draft / "index.html").write_text(template.render(sites=entries, simulated=SIMULATED), encoding="utf-8")
    shown = sum(bool(entry.page) for entry in entries)
    return f"{root / PUBLIC / 'index.html'}: {shown} of {len(entries)} sites have results"


def entry_of(name: str, folder: Path) -> Entry:
    """Return what the page says of the site in `folder`."""
    params = load_params(folder / "params.yaml")
    site = params.site
    if not (folder / REPORT).is_file():
        return Entry(name=name, title=site.title, simulated=site.simulated)
    return Entry(
        name=name,
        title=site.title,
        simulated=site.simulated,
        page=f"{name}/index.html",
        cards=_cards(folder, params),
        change=_change(folder),
        graph=data_uri(GRAPH.name, (folder / GRAPH).read_bytes()),
    )


def _change(folder: Path) -> str:
    """State the change of a site, and of which product it is."""
    change = folder / "artifacts/area/change_trend.json"
    if change.exists():
        return f"{CHANGE_PRODUCT}: {read_document(change, ChangeTrend).statement}".rstrip(".")
    trend = read_document(folder / "artifacts/area/trend.json", Trend)
    return f"{COMMON_AREA}: {trend.statement}".rstrip(".")


def _cards(folder: Path, params: Params) -> list[Card]:
    years = read_document(folder / "artifacts/area/series.json", AreaSeries).years
    findings = all_findings(
        read_document(folder / "artifacts/area/gates.json", Gates),
        read_document(folder / "metrics/evaluate.json", EvaluateMetrics),
        params.gates,
    )
    failed = sum(not finding.passed for finding in findings)
    gates = f"{failed} of {len(findings)} FAILED" if failed else f"all {len(findings)} passed"
    ends = years if len(years) == 1 else [years[0], years[-1]]
    return [
        *(
            Card(f"Glacier area {row.year}, {products_of([row.product])}", area_text(row, decimals_of([row])))
            for row in ends
        ),
        Card("Gates", gates),
    ]


if __name__ == "__main__":
    sys.exit(main())
