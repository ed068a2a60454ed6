"""What DVC reads in params.yaml by itself must stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from stages.common.errors import ParamsError
from stages.common.params.schema import load_params
from versions.tools.sections import require_sections

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def shortest(tmp_path: Path) -> Path:
    """The shortest params.yaml, as docs/data.md has it."""
    text = (ROOT / "docs/data.md").read_text(encoding="utf-8").split("### The shortest params.yaml")[1]
    lines = re.findall(r"^    (.*)$", text, re.MULTILINE)
    path = tmp_path / "params.yaml"
    path.write_text("\n".join(lines[: next(at for at, line in enumerate(lines) if line.startswith("report:")) + 1]))
    return path


@pytest.mark.parametrize("site", [ROOT, *sorted((ROOT / "sites").glob("[a-z]*"))], ids=lambda path: path.name)
def test_every_site_has_them(site: Path) -> None:
    require_sections(site / "params.yaml", ROOT / "dvc.yaml")


def test_the_shortest_in_the_documents_is_whole(shortest: Path) -> None:
    require_sections(shortest, ROOT / "dvc.yaml")
    assert load_params(shortest).train.steps_per_epoch == 60
    assert len(shortest.read_text().splitlines()) <= 20


def test_the_message_has_the_lines_to_add(shortest: Path) -> None:
    content = yaml.safe_load(shortest.read_text())
    for name in ("area", "gates", "predict"):
        del content[name]
    shortest.write_text(yaml.safe_dump(content))
    load_params(shortest)  # the schema has defaults
    with pytest.raises(ParamsError, match="DVC reads") as caught:
        require_sections(shortest, ROOT / "dvc.yaml")
    assert caught.value.found == "no area, gates, predict, predict.model"
    assert caught.value.fix == (
        "add the line(s): `area: {}`; `gates: {}`; `predict: {model: artifacts/train/model.onnx}`"
    )
    shortest.write_text(shortest.read_text() + "\narea: {}\ngates: {}\npredict: {model: artifacts/train/model.onnx}\n")
    require_sections(shortest, ROOT / "dvc.yaml")
