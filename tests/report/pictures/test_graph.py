"""The graph; its look is for the eye."""

from __future__ import annotations

import contextlib
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


@pytest.mark.parametrize("name", ["nine_years", "one_year"])
def test_each_note_under_the_graph_ends_with_one_full_stop(name, request):
    folder = request.getfixturevalue(name)
    with contextlib.chdir(folder.parents[1]):
        notes = graph_notes(read_findings(Run(CONTRACT, load_params(), None, folder, logging.getLogger("report"))))
    assert all(note.endswith(".") and not note.endswith("..") for note in notes), notes
