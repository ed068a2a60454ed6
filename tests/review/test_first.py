"""What is worth a look first: a year that leaps, a wide interval, ice off the outlines; nothing where nothing is."""

from __future__ import annotations

from review.first import Place, places
from stages.common.tables.area import AreaRow, GlacierAreaRow


def year_row(year: int, sigma_model_km2: float | None = None) -> AreaRow:
    return AreaRow(
        year=year, glacier_area_km2=10, sigma_delineation_km2=0.1, sigma_model_km2=sigma_model_km2, valid_fraction=1,
        unseen_km2=0, scene_ids="", model_md5="", interval_method="normal", area_low_km2=9, area_high_km2=11,
        surface_method="",
    )  # fmt: skip


def glacier_row(year: int, km2: float, *, rgi_id: str = "A", half: float = 0.0) -> GlacierAreaRow:
    return GlacierAreaRow(
        year=year, rgi_id=rgi_id, area_km2=km2, common_area_km2=km2, outline_area_km2=5, unseen_km2=0,
        area_high95_km2=km2 + half,
    )  # fmt: skip


def test_each_kind_is_listed_the_largest_first() -> None:
    glaciers = [
        *(glacier_row(year, km2) for year, km2 in ((2020, 5.0), (2021, 5.9), (2022, 4.8))),
        glacier_row(2020, 3, rgi_id="B", half=0.75),
        glacier_row(2022, 0.31, rgi_id="unassigned"),
    ]
    assert places([year_row(2020, 0.2), year_row(2021, 0.5)], glaciers) == [
        Place(2020, "B", "the area is least certain: ± 0.75 km² (95 %)"),
        Place(2021, "A", "the year disagrees with those before and after it by +1.00 km²"),
        Place(2022, "unassigned", "0.31 km² of ice are mapped far off the outlines"),
        Place(2021, None, "members and test blocks of the model agree least: ± 0.50 km² (68 %)"),
    ]


def test_where_nothing_stands_out_nothing_is_listed() -> None:
    assert places([year_row(2020)], [glacier_row(2020, 5.0), glacier_row(2020, 0.0, rgi_id="unassigned")]) == []
