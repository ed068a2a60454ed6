"""The graph; its look is for the eye."""

from __future__ import annotations

import contextlib
import dataclasses
import logging

import numpy as np
import pytest
from PIL import Image

from stages.common.display import colours
from stages.common.params.schema import load_params
from stages.common.run.stage import Run
from stages.report.contract import CONTRACT
from stages.report.findings import read_findings
from stages.report.pictures.graph import graph_notes


@pytest.mark.parametrize("name", ["nine_years", "one_year"])
def test_the_true_area_stands_in_the_graph_of_a_simulated_site_alone(name, request):
    folder = request.getfixturevalue(name)
    picture = np.asarray(Image.open(folder / "glacier_retreat_graph.png").convert("RGB"))
    assert ((picture == colours.GREEN).all(axis=2).sum() > 300) == (name == "nine_years")


def test_the_note_says_that_the_common_area_is_of_the_images_alone(one_year):
    """A single year of the outlines product has another area than its image: two points that need a word."""
    with contextlib.chdir(one_year.parents[1]):
        findings = read_findings(Run(CONTRACT, load_params(), None, one_year, logging.getLogger("report")))
    (row,) = findings.areas
    areas = [row.model_copy(update={"common_area_km2": row.glacier_area_km2 * 1.5})]
    notes = " ".join(graph_notes(dataclasses.replace(findings, areas=areas)))
    assert "Common area: ice from the images alone" in notes


@pytest.mark.parametrize("statement", ["No change detected. Above 1 km² it would be", "No change detected."])
def test_each_note_under_the_graph_ends_with_one_full_stop(statement, nine_years):
    with contextlib.chdir(nine_years.parents[1]):
        findings = read_findings(Run(CONTRACT, load_params(), None, nine_years, logging.getLogger("report")))
    trend = findings.trend.model_copy(update={"statement": statement})
    notes = graph_notes(dataclasses.replace(findings, trend=trend))
    assert any(statement in note for note in notes)
    assert all(note.endswith(".") and not note.endswith("..") for note in notes), notes
