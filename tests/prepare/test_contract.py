"""Every input that is damaged ends `prepare` with exit code 2 and a message that names the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sandbox import tiny
from stages.common.run import stage
from stages.prepare.contract import CONTRACT
from stages.prepare.prepare import prepare
from tests.damage import DAMAGES
from tests.prepare.scenes import BANDS, cloud, layer, run, store, texture, write_dem

FILES = [
    "data/aoi.gpkg",
    "data/outlines.gpkg",
    "data/auxiliary/dem.tif",
    "data/scenes/2020/index.json",
    "data/scenes/2020/a/a.json",
    "data/scenes/2020/a/B11.tif",
    "data/scenes/2020/a/cloud_mask.tif",
]


@pytest.fixture
def whole(site: Path) -> Path:
    """A site whose inputs `prepare` reads all."""
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["prepare"] |= {"bands": [*BANDS, "elevation"], "coregister": {"band": "B02"}}
    tiny.write_params(site, content)
    bands = [layer(name, texture(index)) for index, name in enumerate(BANDS)]
    store(("a", [*bands, cloud(texture(3) % 7 == 0)]))
    write_dem(rise=0.3)
    return site


def test_the_whole_site_passes(whole: Path) -> None:
    run()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_input_is_refused(
    name: str, damage: Callable[[Path], None], whole: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(whole / name)
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 2
    message = capfd.readouterr().err
    assert Path(name).name in message and "fix:" in message
    assert "Traceback" not in message
    assert not Path("artifacts/prepare/2020").exists()
