"""The committed crops of real samples are small, and each folder says where it is from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.samples import samples_folder
from tests.conftest import skipped_line

REAL = Path(__file__).parent / "real"


def test_the_crops_stay_below_a_megabyte() -> None:
    files = [path for path in REAL.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in files) < 1_000_000


def test_every_crop_has_a_source_and_a_licence() -> None:
    table = (REAL / "README.md").read_text()
    folders = {path.name for path in REAL.iterdir() if path.is_dir() and path.name != "__pycache__"} - {"licences"}
    rows = [row for row in table.splitlines() if any(row.startswith(f"| `{folder}/`") for folder in folders)]
    assert len(rows) == len(folders)
    assert all(row.split("|")[-2].strip() for row in rows)


def test_every_repository_has_its_licence_text() -> None:
    rows = [row.split("|")[3] for row in (REAL / "README.md").read_text().splitlines() if row.startswith("| `")]
    repositories = {name for row in rows for name in re.findall(r"[\w-]+/[\w-]+(?= [0-9a-f]{7})", row)}
    texts = {path.stem: path.read_text() for path in (REAL / "licences").iterdir()}
    assert len(repositories) == 9
    for name in repositories:
        assert name.replace("/", "_") in texts or any(f"{name}: " in text for text in texts.values()), name


def test_the_summary_counts_what_was_skipped_by_reason() -> None:
    reasons = ["Skipped: no server", "Skipped: needs a whole scene", "Skipped: no server"]
    assert skipped_line(reasons) == "skipped 3: 2 (no server), 1 (needs a whole scene)"


@pytest.mark.parametrize("folder", [None, "", "nowhere"])
def test_a_benchmark_without_its_samples_says_what_to_set(
    folder: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GLACIER_SAMPLES", raising=False)
    if folder is not None:
        monkeypatch.setenv("GLACIER_SAMPLES", folder)
    with pytest.raises(SystemExit) as caught:
        samples_folder()
    assert caught.value.code == 2
    assert "fix:      export GLACIER_SAMPLES=<folder>" in capsys.readouterr().err


def test_a_benchmark_finds_its_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLACIER_SAMPLES", str(tmp_path))
    assert samples_folder() == tmp_path
