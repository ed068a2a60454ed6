"""The graph; its look is for the eye."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from stages.common.display import colours


@pytest.mark.parametrize("name", ["nine_years", "one_year"])
def test_the_true_area_stands_in_the_graph_of_a_simulated_site_alone(name, request):
    folder = request.getfixturevalue(name)
    picture = np.asarray(Image.open(folder / "glacier_retreat_graph.png").convert("RGB"))
    assert ((picture == colours.GREEN).all(axis=2).sum() > 300) == (name == "nine_years")
