"""What the stage does: read its inputs, draw the pictures, write the page."""

from __future__ import annotations

from stages.common.run.stage import Run
from stages.report.findings import read_findings
from stages.report.page.page import render_page
from stages.report.pictures.change_map import draw_change_map
from stages.report.pictures.gallery import draw_gallery
from stages.report.pictures.graph import draw_graph
from stages.report.pictures.timelapse import draw_timelapse
from stages.report.qgis.layers import write_qgis
from stages.report.qgis.series import OUTLINES, series_frames
from stages.report.web_map.document import map_document


def report(run: Run) -> None:
    """Draw the pictures, write the page that embeds them, and the QGIS project."""
    findings = read_findings(run)
    frames = series_frames(run, findings)
    pictures = {
        "glacier_retreat_graph.png": draw_graph(findings),
        "glacier_retreat_timelapse.gif": draw_timelapse(findings, frames[OUTLINES]),
        "prediction_gallery.png": draw_gallery(findings),
    }
    if findings.statistics.change_map is not None:
        pictures["change_map.png"] = draw_change_map(findings, findings.statistics.change_map)
    for name, content in pictures.items():
        (run.out / name).write_bytes(content)
        run.log.info("%s: %.2f MB", name, len(content) / 1e6)
    write_qgis(run, findings, frames)
    page = render_page(findings, pictures, map_document(run, findings, frames))
    (run.out / "index.html").write_text(page, encoding="utf-8", newline="\n")
    run.log.info("index.html: %.2f MB", len(page) / 1e6)
