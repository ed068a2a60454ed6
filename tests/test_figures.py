"""Figures of the demo and of Everest in the documents are those of the metrics that git holds."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stages.common.display.numbers import MINUS

ROOT = Path(__file__).resolve().parents[1]


def metrics(name: str, site: str = ".") -> Any:
    return json.loads((ROOT / site / f"metrics/{name}.json").read_text(encoding="utf-8"))


AREA, EVALUATE, TRAIN = (metrics(name) for name in ("area", "evaluate", "train"))
TRUTH, CHANGE, MODEL = AREA["truth"], AREA["change"], EVALUATE["model"]
EVEREST, EVEREST_AREA, EVEREST_TRAIN = (metrics(name, "sites/everest") for name in ("evaluate", "area", "train"))
ECE = "expected_calibration_error"

STATED = [
    ("results", r"nine years \| pooled IoU (\S+), mean absolute area error (\S+) %",
     [TRUTH["iou"], TRUTH["mean_absolute_error_pct"]]),
    ("results", r"the images alone \| pooled IoU (\S+), mean absolute area error (\S+) %",
     [TRUTH["image_iou"], TRUTH["image_mean_absolute_error_pct"]]),
    ("results", r"map of every year \| IoU (\S+), mean absolute area error (\S+) %",
     [TRUTH["unchanged_outline_iou"], TRUTH["unchanged_outline_mean_absolute_error_pct"]]),
    ("results", r"change product \| (\S+) km² per year \(.*?smallest detectable change (\S+); .*?true (\S+) \|",
     [CHANGE["slope_km2_per_year"], CHANGE["minimum_detectable_km2_per_year"], CHANGE["true_slope_km2_per_year"]]),
    ("results", r"images alone \| (\S+) km² per year \(.*?smallest detectable change (\S+)\)",
     [AREA["slope_km2_per_year"], AREA["minimum_detectable_km2_per_year"]]),
    ("results", r"boundary and fronts included \| IoU (\S+), area bias (\S+) %; recall of debris-covered ice (\S+),",
     [MODEL["iou"], MODEL["area_bias_pct"], EVALUATE["debris_recall"]]),
    ("results", r"the model's map, against the labels \| (\S+) \| (\S+) % \| (\S+) \| (\S+) \|",
     [MODEL["iou"], MODEL["area_bias_pct"], EVALUATE["debris_recall"], EVALUATE["clean_recall"]]),
    ("results", r"without and with calibration \| (\S+),.*threshold (\S+) for zero",
     [EVALUATE[ECE], TRAIN["threshold"]]),
    ("results", r"on its test blocks \| IoU (\S+) \(95 %: (\S+) to (\S+)\), area bias (\S+) % \((\S+) to (\S+)\)",
     [EVEREST["model"]["iou"], EVEREST["model_interval"]["iou_low95"], EVEREST["model_interval"]["iou_high95"],
      EVEREST["model"]["area_bias_pct"], EVEREST["model_interval"]["area_bias_low95_pct"],
      EVEREST["model_interval"]["area_bias_high95_pct"]]),
    ("results", r"brightness threshold (\S+); calibration error (\S+), with calibration (\S+) \|",
     [EVEREST["baseline_threshold"]["iou"], EVEREST[f"{ECE}_uncalibrated"], EVEREST[ECE]]),
    ("results", r"the image alone \| (\S+) km² \(68 %", [EVEREST_AREA["last_area_km2"]]),
    ("twin", r"pooled IoU of the outlines product \| (\S+) \(", [TRUTH["iou"]]),
    ("twin", r"the images alone \| IoU (\S+), mean absolute area error (\S+) %",
     [TRUTH["image_iou"], TRUTH["image_mean_absolute_error_pct"]]),
    ("twin", r"true -0.155 km² per year \| (\S+) \((\S+) of it; 95 %: -0.67",
     [AREA["slope_km2_per_year"], TRUTH["slope_ratio"]]),
    ("twin", r"slope of the change product, true (\S+) km² per year \| (\S+) \((\S+) of it; .*?change (\S+)\)",
     [CHANGE["true_slope_km2_per_year"], CHANGE["slope_km2_per_year"], CHANGE["slope_ratio"],
      CHANGE["minimum_detectable_km2_per_year"]]),
    ("twin", r"NDSI threshold \| (\S+); (\S+) \|", [MODEL["iou"], EVALUATE["baseline_threshold"]["iou"]]),
    ("method", r"\| demo \| [^|]* \| (\S+) \| [^|]* \| NLL (\S+); ECE (\S+) \| area bias (\S+) %; ECE (\S+) \|",
     [TRAIN["threshold"], TRAIN["nll"], TRAIN["ece"], MODEL["area_bias_pct"], EVALUATE[ECE]]),
    ("method", r"\| Everest \| (\S+) \| (\S+) \| [^|]* \| NLL (\S+), (\S+); ECE (\S+), (\S+) \| area bias (\S+) %;",
     [EVEREST_TRAIN[name] for name in ("temperature", "threshold", "nll_as_fitted", "nll", "ece_as_fitted", "ece")]
     + [EVEREST["model"]["area_bias_pct"]]),
    ("method", r"bands by age the site has a held-out IoU of (\S+) at 32 px", [EVEREST["model"]["iou"]]),
    ("method", r"change product is (\S+) ± .*?smallest\s+change detectable (\S+); 2019",
     [CHANGE["slope_km2_per_year"], CHANGE["minimum_detectable_km2_per_year"]]),
    ("operations", r"Everest's own model on its test blocks\s+is (\S+), and the bound", [EVEREST[ECE]]),
]  # fmt: skip
"""A document, what stands around its figures, and the figures as the metrics have them."""


@pytest.mark.parametrize(("document", "words", "expected"), STATED)
def test_a_document_states_what_the_metrics_hold(document: str, words: str, expected: list[float]) -> None:
    """Each figure is the metric, rounded to the decimals that the document gives."""
    (found,) = re.findall(words, (ROOT / f"docs/{document}.md").read_text(encoding="utf-8"))
    texts = [found] if isinstance(found, str) else list(found)
    plain = [text.replace(MINUS, "-").lstrip("+") for text in texts]
    decimals = [len(text.partition(".")[2]) for text in plain]
    assert plain == [f"{value:.{places}f}" for value, places in zip(expected, decimals, strict=True)]


@pytest.mark.parametrize(
    ("picture", "site", "name", "command"),
    [
        ("demo", ".", "area", "make demo && python -m bench.pictures"),
        ("twin", ".", "area", "make demo && python -m bench.pictures"),
        ("everest", "sites/everest", "area", "make repro SITE=everest && python -m bench.pictures"),
        ("method", ".", "evaluate", "make demo && python -m bench.method_figure"),
    ],
)
def test_a_picture_is_of_the_results_that_git_holds(picture: str, site: str, name: str, command: str) -> None:
    with Image.open(ROOT / f"docs/{picture}.png") as image:
        shown = image.text[f"MD5 of metrics/{name}.json"]
    assert shown == hashlib.md5((ROOT / site / f"metrics/{name}.json").read_bytes()).hexdigest(), f"run `{command}`"
