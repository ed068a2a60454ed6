"""The constants are those of the measured spectra, and so is the snow index of what is simulated."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from stages.ingest.sources.twin.spectra import BANDS, COLOUR, MEAN, Surface, reflectance

COLUMNS = ("B2", "B3", "B4", "B8", "B11", "B12")
CLASSES: dict[Surface, str] = {"snow": "1", "ice": "3", "water": "5"}


@pytest.fixture(scope="module")
def measured(samples: Path) -> dict[str, np.ndarray]:
    """Class to (N, 6) reflectance, without fill values."""
    spectra: dict[str, list[list[float]]] = {}
    with (samples / "spectra/Sentinel-2_SR_training_data.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            if all(row[name] for name in COLUMNS):
                spectra.setdefault(row["class"], []).append([float(row[name]) for name in COLUMNS])
    arrays = {name: np.array(rows) for name, rows in spectra.items()}
    return {name: rows[(rows > 0.001).all(axis=1)] for name, rows in arrays.items()}


def rock(measured: dict[str, np.ndarray]) -> dict[Surface, np.ndarray]:
    """Three kinds by the slope of the spectrum, without vegetation."""
    rows = measured["4"]
    bare = rows[(rows[:, 3] - rows[:, 2]) / (rows[:, 3] + rows[:, 2]) < 0.2]
    steepness = np.log(bare[:, 4] / bare[:, 0])
    kind = np.digitize(steepness, np.quantile(steepness, [1 / 3, 2 / 3]))
    return {"rock 1": bare[kind == 0], "rock 2": bare[kind == 1], "rock 3": bare[kind == 2]}


@pytest.mark.usefixtures("whole_samples")
def test_means_and_covariances_are_the_measured_ones(measured: dict[str, np.ndarray]) -> None:
    spectra = {name: measured[label] for name, label in CLASSES.items()} | rock(measured)
    no_brightness = np.eye(6) - 1 / 6
    for name, rows in spectra.items():
        logs = np.log(rows)
        np.testing.assert_allclose(MEAN[name], np.exp(logs.mean(axis=0)), atol=0.0012, err_msg=name)
        covariance = no_brightness @ np.cov(logs.T) @ no_brightness
        lines = np.array(COLOUR[name])
        np.testing.assert_allclose(lines.T @ lines, covariance, atol=0.012 + 0.08 * np.abs(covariance).max())


@pytest.mark.parametrize("surface", sorted(CLASSES))
def test_the_snow_index_of_what_is_simulated_lies_among_the_measured(
    surface: Surface, measured: dict[str, np.ndarray]
) -> None:
    rng = np.random.default_rng(5)
    noise = tuple(rng.standard_normal((200, 200)) for _ in range(3))
    green, swir = (reflectance(surface, band, noise) for band in ("B03", "B11"))
    simulated = np.quantile((green - swir) / (green + swir), [0.1, 0.5, 0.9])
    rows = measured[CLASSES[surface]]
    expected = np.quantile((rows[:, 1] - rows[:, 4]) / (rows[:, 1] + rows[:, 4]), [0.1, 0.5, 0.9])
    np.testing.assert_allclose(simulated, expected, atol=0.12)


def test_no_colour_changes_brightness_much() -> None:
    for name, lines in COLOUR.items():
        assert np.abs(np.array(lines).mean(axis=1)).max() < 0.02, name


def test_debris_is_rock_in_every_band() -> None:
    """There is no spectrum of debris: it is mixed from the rock around it."""
    assert set(MEAN) == {"snow", "firn", "ice", "rock 1", "rock 2", "rock 3", "water", "vegetation"}
    assert all(len(mean) == len(BANDS) for mean in MEAN.values())
