"""Items on the pages of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from stages.common.errors import InputError
from stages.ingest.sources.stac.search import _all_items

URL = "https://catalogue.test"


def page(*names: str | None, matched: int) -> dict[str, Any]:
    return {"features": [{"id": name} for name in names], "numberMatched": matched}


def test_an_item_without_an_id_is_left_out_alone(caplog: pytest.LogCaptureFixture) -> None:
    items = _all_items(iter([page("a", None, matched=3), page("b", matched=3)]), URL)
    assert [item["id"] for item in items] == ["a", "b"]
    assert "1 item(s) have no id and are left out" in caplog.text


def test_a_page_that_is_withheld_is_an_error() -> None:
    with pytest.raises(InputError, match="does not give all pages"):
        list(_all_items(iter([page("a", None, matched=3)]), URL))
