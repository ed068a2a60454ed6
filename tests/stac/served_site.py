"""A site whose scenes stand on the server, and what `ingest` makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox import stac_site
from sandbox.stac_server import Server
from stages.common.run.records import read_rows
from stages.common.scene.scene import Scene
from stages.common.scene.store import read_scenes
from stages.common.tables.data import SceneChoiceRow
from stages.ingest.ingest import main
from tests.stac import catalogue

CLOUDY = np.full((160, 160), 9, np.uint8)


def ready(
    server: Server, workdir: Path, *, profile: str = "earth-search-c1", under: str = "files", **changes: Any
) -> None:
    """A site of 2020 and 2021 with three dates on the server, the best of 2020 on the sixth of October."""
    scenes = workdir / "scenes"
    catalogue.write_scene(scenes, "2020-10-01", scl=CLOUDY)
    catalogue.write_scene(scenes, "2020-10-06")
    catalogue.write_scene(scenes, "2020-10-16", snow_rows=60)
    catalogue.write_scene(scenes, "2021-10-06")
    catalogue.publish(server, scenes, profile, under=under)
    stac_site.make_site(workdir, stac_site.params(server, profile, [2020, 2021], **changes))


def only_scene(year: int) -> Scene:
    (scene,) = read_scenes(Path(f"data/scenes/{year}"))
    return scene


def rows() -> dict[str, SceneChoiceRow]:
    return {str(row.date): row for row in read_rows(Path("data/scene_choice.csv"), SceneChoiceRow)}


def refused(message: str, capfd: pytest.CaptureFixture[str]) -> str:
    """Run it, see it refused with nothing written, and return what it said."""
    assert main([]) == 2
    message_text = capfd.readouterr().err
    assert message in message_text
    for part in ("where:", "expected:", "found:", "fix:"):
        assert part in message_text
    assert not Path("data").exists()
    assert not Path("data.dvc").exists()
    return message_text
