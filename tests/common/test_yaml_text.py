"""YAML that may come from elsewhere."""

from __future__ import annotations

import pytest
import yaml

from stages.common.yaml_text import load_yaml
from tests.hostile.door_params import bomb


def test_values_and_honest_aliases_are_read() -> None:
    assert load_yaml("a: &x [1, 2]\nb: *x\nc: {d: *x}") == {"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}}
    assert load_yaml("") is None


@pytest.mark.parametrize(
    "text", [bomb(), "a: &a [*a]", "[" * 5000, "- " * 5000, "a: 2020-13-45", "a: !!python/name:os"]
)
def test_what_would_never_end_or_run_code_is_no_yaml(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)
