"""README says what is so: the chain's picture has the arrows of dvc.yaml, and what it names is there."""

from __future__ import annotations

import json
import re
from itertools import pairwise, product
from pathlib import Path

import pytest
import yaml

from stages.common.display.numbers import MINUS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
DOCUMENTS = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def drawn_arrows(picture: str) -> set[tuple[str, str]]:
    """Arrows of a Mermaid flow chart: ``a & b --> c --> d`` are three."""
    arrows: set[tuple[str, str]] = set()
    for line in picture.splitlines():
        groups = [[name.strip() for name in group.split("&")] for group in line.split("-->")]
        for sources, targets in pairwise(groups):
            arrows |= set(product(sources, targets))
    return arrows


def declared_arrows() -> set[tuple[str, str]]:
    """Who gives to whom, by the dependencies in dvc.yaml; all below data/ is one."""
    arrows = set()
    for stage, spec in DVC.items():
        for dep in spec["deps"]:
            if dep.startswith("data/"):
                arrows.add(("data", stage))
            elif match := re.match(r"(?:artifacts|metrics)/(\w+)", dep):
                arrows.add((match[1], stage))
            elif dep == "${predict.model}":
                arrows.add(("train", stage))
    return arrows


def test_arrows_of_a_line() -> None:
    assert drawn_arrows("a & b --> c --> d") == {("a", "c"), ("b", "c"), ("c", "d")}


def test_the_chain_is_that_of_dvc_yaml() -> None:
    (picture,) = re.findall(r"```mermaid\nflowchart LR\n(.*?)```", README, flags=re.DOTALL)
    assert drawn_arrows(picture) == declared_arrows()


def test_the_tree_names_what_is_there() -> None:
    (tree,) = re.findall(r"## The repository\n\n```\n(.*?)```", README, flags=re.DOTALL)
    for line in tree.splitlines():
        path = line.split()[0].replace("<stage>", "area").replace("<site>", "everest")
        assert (ROOT / path).exists(), path


def test_the_numbers_are_those_of_the_demo() -> None:
    """README's table, which `python -m bench.readme` writes, agrees with the metrics of the demo that git holds."""
    area = json.loads((ROOT / "metrics/area.json").read_text(encoding="utf-8"))
    change, truth = area["change"], area["truth"]
    rows = [row.split("|")[1:4] for row in re.findall(r"^\|.*\|$", README.split("## The chain")[0], flags=re.MULTILINE)]
    what, mapped, _ = next(row for row in rows if "glacier area in" in row[0])
    assert what.strip() == f"glacier area in {area['last_year']}"
    assert mapped.split()[0] == f"{area['last_area_km2']:.1f}"
    _, mapped, true = next(row for row in rows if "change" in row[0])
    assert _number(mapped) == pytest.approx(round(change["slope_km2_per_year"], 2))
    assert _number(true) == pytest.approx(round(change["true_slope_km2_per_year"], 3))
    assert mapped.strip().endswith(": detected") is change["detectable"]
    (ious,) = re.findall(r"overlaps the truth better \(IoU ([\d.]+)\).*?\(([\d.]+)\); together: ([\d.]+)\.", README)
    expected = [truth["unchanged_outline_iou"], truth["image_iou"], truth["iou"]]
    assert [float(iou) for iou in ious] == [round(iou, 3) for iou in expected]


def _number(cell: str) -> float:
    return float(cell.split(maxsplit=1)[0].replace(MINUS, "-"))


def test_a_newcomer_reads_it_in_five_minutes() -> None:
    assert len(README.splitlines()) <= 120
    assert len(README.split()) <= 1000


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert ((ROOT / document).parent / target).exists(), f"{document}: {target}"


def test_make_targets_that_documents_name_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", text, flags=re.MULTILINE))
        assert named <= targets, f"{document}: {named - targets}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_files_that_documents_name_are_there(document: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for path in re.findall(
        r"`((?:stages|versions|docker|tests|bench|sandbox|bin)/[\w/.-]+\.(?:py|md|yaml|txt))`", text
    ):
        assert (ROOT / path).exists(), f"{document}: {path}"
