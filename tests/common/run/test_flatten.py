from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.common.run.flatten import flatten


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"a": 1}, {"a": 1}, id="flat already"),
        pytest.param({"a": {"b": {"c": None}}}, {"a.b.c": None}, id="deep"),
        pytest.param({"years": [2016, 2017]}, {"years": [2016, 2017]}, id="a list is a leaf"),
    ],
)
def test_flatten(nested, flat):
    assert flatten(nested) == flat


keys = st.text(alphabet="abcdef", min_size=1, max_size=4)
trees = st.recursive(st.integers(), lambda inner: st.dictionaries(keys, inner, min_size=1, max_size=3), max_leaves=12)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(keys, trees))
def test_flatten_keeps_every_leaf(tree):
    for path, leaf in flatten(tree).items():
        value = tree
        for key in path.split("."):
            value = value[key]
        assert value == leaf
