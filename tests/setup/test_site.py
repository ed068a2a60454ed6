"""A new site in one command: what is derived, and what is refused with nothing written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import geopandas
import pytest
import rasterio
import yaml
from shapely.affinity import translate

from sandbox import tiny
from setup.site import main
from stages.common.params.schema import load_params
from stages.common.run.stage import main as run_stage
from stages.common.scene.store import read_scenes
from stages.ingest.ingest import main as ingest
from stages.labels.contract import CONTRACT as LABELS
from stages.labels.label import label
from stages.patches.contract import CONTRACT as PATCHES
from stages.patches.cut import cut_patches
from stages.prepare.contract import CONTRACT as PREPARE
from stages.prepare.prepare import prepare

REPOSITORY = Path(__file__).resolve().parents[2]


def everest_words(samples: Path) -> list[str]:
    folder = samples / "everest-landsat7"
    return [
        "NAME=mine",
        f"SCENES={folder / 'LE71400412000304SGS00_RGB.tif'}",
        f"OUTLINES={folder / '15_rgi60_glacier_outlines.gpkg'}",
    ]


def test_everest_comes_out_as_it_was_written_by_hand(root: Path, samples: Path) -> None:
    assert main(everest_words(samples), root) == 0
    params = load_params(root / "sites/mine/params.yaml")
    by_hand = load_params(REPOSITORY / "sites/everest/params.yaml")
    for name in ("years", "training_years", "prepare", "labels", "evaluate", "predict", "report"):
        assert getattr(params, name) == getattr(by_hand, name), name
    assert (params.grid.crs, params.grid.pixel_size_m) == (by_hand.grid.crs, by_hand.grid.pixel_size_m)
    offsets = [mine - hand for mine, hand in zip(params.grid.origin_m, by_hand.grid.origin_m, strict=True)]
    assert [offset % 30 for offset in offsets] == [0, 0]  # the samples may be a crop
    (scene,), (scene_by_hand,) = params.ingest.raster.scenes, by_hand.ingest.raster.scenes
    assert (scene.date, scene.bands, scene.scale) == (scene_by_hand.date, scene_by_hand.bands, scene_by_hand.scale)
    with rasterio.open(samples / "everest-landsat7/LE71400412000304SGS00_RGB.tif") as dataset:
        inside = rasterio.coords.BoundingBox(*params.ingest.aoi.bounds)  # type: ignore[union-attr]
        assert dataset.bounds.left <= inside.left < inside.right <= dataset.bounds.right
        assert (inside.left - dataset.bounds.left) % 30 == 0


def test_the_whole_everest_scene_has_the_blocks_of_the_site(root: Path, whole_samples: Path) -> None:
    assert main(everest_words(whole_samples), root) == 0
    params = load_params(root / "sites/mine/params.yaml")
    by_hand = load_params(REPOSITORY / "sites/everest/params.yaml")
    assert params.ingest.aoi == by_hand.ingest.aoi
    names = ("size_px", "block_rows_px", "block_columns_px", "folds", "test_fold", "validation_fold", "buffer_px")
    assert [getattr(params.patches, name) for name in names] == [getattr(by_hand.patches, name) for name in names]


def test_a_new_site_is_ingested_without_a_guess(
    root: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words, root) == 0
    assert "next:  make ingest SITE=mine" in capsys.readouterr().out
    monkeypatch.chdir(root / "sites/mine")
    params = load_params()
    assert params.years == [2019, 2020, 2021]
    assert ingest([]) == 0
    assert [len(read_scenes(Path(f"data/scenes/{year}"))) for year in params.years] == [1, 1, 1]


def test_a_polar_site_keeps_its_projection_and_is_cut_into_patches(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The painted site on the Antarctic Peninsula, in EPSG:3031."""
    left, top = -2_000_000, 1_000_000
    scene = tiny.write_scene(tmp_path / "scene_20200215.tif", tiny.scene(2020), left=left, top=top, crs="EPSG:3031")
    moved = [translate(shape, left - tiny.LEFT, top - tiny.TOP) for shape in tiny.outlines()]
    geopandas.GeoDataFrame({"rgi_id": ["a", "b"], "src_date": "2001-02-15"}, geometry=moved, crs="EPSG:3031").to_crs(
        "EPSG:4326"
    ).to_file(tmp_path / "rgi.gpkg")
    assert main(["NAME=mine", f"SCENES={scene}", f"OUTLINES={tmp_path / 'rgi.gpkg'}"], root) == 0
    monkeypatch.chdir(root / "sites/mine")
    params = load_params()
    assert (params.grid.crs, params.grid.pixel_size_m) == ("EPSG:3031", 30)
    assert ingest([]) == 0
    assert run_stage(PREPARE, prepare, ["--year", "2020"]) == 0
    assert run_stage(LABELS, label, []) == 0
    assert run_stage(PATCHES, cut_patches, ["--year", "2020"]) == 0
    with rasterio.open("artifacts/prepare/2020/scene.tif") as prepared, rasterio.open(scene) as original:
        assert prepared.crs.to_epsg() == 3031
        assert (prepared.read() == original.read(window=original.window(*prepared.bounds))).all()


def test_every_value_has_its_reason_and_the_schema_lies_beside_it(root: Path, words: list[str]) -> None:
    assert main(words, root) == 0
    site = root / "sites/mine"
    text = (site / "params.yaml").read_text()
    assert text.splitlines()[0] == "# yaml-language-server: $schema=params.schema.json"
    assert "properties" in json.loads((site / "params.schema.json").read_text())
    assert "origin_m: [350000, 3420000]  # a corner of scene_20191015.tif: pixels stay as they are" in text
    patches = load_params(site / "params.yaml").patches
    assert f" patches a step, each {patches.size_px} px and {patches.margin_px} px around it\n" in text
    for line in text.splitlines():
        if line.strip().startswith(
            ("crs: EPSG", "origin_m", "pixel_size_m", "block_", "buffer_px", "mirror_", "storage")
        ):
            assert "  # " in line or "crs" in line, line
    assert (site / "dvc.yaml").read_bytes() == (root / "dvc.yaml").read_bytes()
    assert [(site / name).readlink() for name in ("stages", "docker")] == [Path("../../stages"), Path("../../docker")]
    metrics = {path.name: path.read_text() for path in (root / "sites/mine/metrics").iterdir()}
    assert metrics == dict.fromkeys(("train.json", "evaluate.json", "area.json"), "{}\n")  # DVC fails on absent ones


def test_paths_within_the_repository_are_relative(root: Path, words: list[str]) -> None:
    inside = root / "downloads"
    (root.parent / "in put").rename(inside)
    assert main([word.replace(f"{root.parent}/in put", str(inside)) for word in words], root) == 0
    listed = yaml.safe_load((root / "sites/mine/params.yaml").read_text())["ingest"]
    assert listed["outlines"]["path"] == "../../downloads/outlines.gpkg"


@pytest.mark.parametrize("obstacle", ["folder", "file", "link"])
def test_nothing_is_written_over(
    obstacle: str, root: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    site = root / "sites/mine"
    {"folder": site.mkdir, "file": site.touch, "link": lambda: site.symlink_to("nowhere")}[obstacle]()
    assert main(words, root) == 2
    assert "there is such a site already" in capsys.readouterr().err
    assert [path.name for path in (root / "sites").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"NAME": "My Site"}, "NAME is not valid"),
        ({"NAME": ""}, "NAME missing"),
        ({"OUTLINES": ""}, "OUTLINES missing"),
        ({"SCENES": ""}, "YEARS missing"),
        ({"SCENES": "nowhere.tif"}, "nowhere.tif: no such file"),
        ({"SCENES": "'unfinished"}, "No closing quotation"),
        ({"YEARS": "2020"}, "a site of your own scenes takes no YEARS"),
        ({"DATES": "2020-10-06"}, "a date for each of 3 scenes"),
        ({"BANDS": "red green"}, "3 names"),
        ({"OUTLINE": "x.gpkg"}, "unknown words"),
    ],
)
def test_a_word_that_is_not_valid_is_named(
    changes: dict[str, str], message: str, root: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    texts = dict(word.split("=", 1) for word in words) | changes
    if "SCENES" in changes and not changes["SCENES"]:
        texts["AOI"] = texts["OUTLINES"]
    assert main([f"{key}={text}" for key, text in texts.items()], root) == 2
    assert message in capsys.readouterr().err
    assert not list((root / "sites").iterdir())


def test_an_unexpected_fault_leaves_nothing(
    root: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (root / "dvc.yaml").unlink()
    assert main(words, root) == 3
    assert not list((root / "sites").iterdir())


def test_make_hands_words_on_as_they_are(tmp_path: Path) -> None:
    """Blanks and quotes stay; what only the environment holds (NAME is set on many machines) is not a word."""
    program = tmp_path / ".venv/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\n')
    program.chmod(0o755)
    (tmp_path / "docker/locks").mkdir(parents=True)
    for name in ("docker/locks/dev.txt", "docker/locks/bootstrap.txt", ".venv/.installed"):
        (tmp_path / name).touch()
    (tmp_path / "Makefile").write_text((REPOSITORY / "Makefile").read_text())
    shown = subprocess.run(
        ["make", "site", "SCENES='a b.tif' \"c\".tif", "OUTLINES=it's.gpkg"],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "NAME": "host"}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown.splitlines() == ["<-m>", "<setup.site>", "<SCENES='a b.tif' \"c\".tif>", "<OUTLINES=it's.gpkg>"]


def test_make_refuses_a_word_that_it_would_take_apart() -> None:
    """`a$b.tif` would come as `a.tif`: what make takes for a variable is empty."""

    def make(word: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "--dry-run", "site", word]
        plain = {"PATH": "/usr/bin:/bin"}
        return subprocess.run(command, cwd=REPOSITORY, env=plain, capture_output=True, text=True, check=False)

    refused = make("SCENES=a$b.tif")
    assert refused.returncode == 2
    assert "SCENES holds a single dollar sign" in refused.stderr
    assert '"SCENES=$SCENES"' in make("SCENES=a$$b.tif").stdout
