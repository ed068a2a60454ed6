"""Values and reasons as YAML: a parser gives the values back, whatever they hold."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from setup.lines import Line, values, yaml_text

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\x85"), max_size=20)
VALUES = st.one_of(TEXTS, st.integers(-(10**9), 10**9), st.booleans(), st.lists(TEXTS | st.integers(0, 9), max_size=3))


@given(VALUES, TEXTS)
def test_the_values_come_back(value: object, why: str) -> None:
    section = {"a": Line(value, why), "b": {"c": [{"d": Line(value, why), "e": Line(1)}, {"d": Line(2.5)}], "f": {}}}
    assert yaml.safe_load(yaml_text(section)) == values(section)


def test_dates_stay_text_and_numbers_are_short() -> None:
    assert yaml_text({"a": Line("2000-10-30"), "b": Line(30.0), "c": Line([478000.0, 0.5], "why")}) == (
        'a: "2000-10-30"\n\nb: 30\n\nc: [478000, 0.5]  # why\n'
    )
    assert yaml.safe_load(yaml_text({"a": Line("no"), "b": Line("null")})) == {"a": "no", "b": "null"}
