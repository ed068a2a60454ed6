"""``bin/region`` records the results of a region in its region.dvc."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
import yaml

from sandbox import mountains, tiny
from tests import forked
from tests.repository import done
from versions.tools import commands

loader = SourceFileLoader("bin_region", str(tiny.ROOT / "bin/region"))
bin_region = module_from_spec(spec_from_loader("bin_region", loader))
loader.exec_module(bin_region)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    done(tmp_path, "git", "init", "--quiet")
    done(tmp_path, "dvc", "init", "--quiet")
    monkeypatch.setattr(commands, "subprocess", forked)
    return tmp_path


def test_results_are_recorded_as_they_are_now(repository: Path) -> None:
    folder = mountains.make_region(repository / "regions")
    (folder / "results").mkdir()
    hashes = []
    for content in ("first", "second"):
        (folder / "results/totals.csv").write_text(content)
        assert bin_region.record(folder) == 0
        (out,) = yaml.safe_load((folder / "region.dvc").read_text())["outs"]
        assert (out["path"], out["nfiles"], out["size"]) == ("results", 1, len(content))
        hashes.append(out["md5"])
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("results", ["s3://bucket/range", "../../elsewhere"])
def test_results_elsewhere_stay_there(repository: Path, results: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = mountains.make_region(repository / "regions", results=results)
    assert bin_region.record(folder) == 0
    assert "does not record them" in capsys.readouterr().err
    assert not (folder / "region.dvc").exists()
