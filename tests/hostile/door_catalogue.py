"""The door of STAC catalogues: a server that answers with junk, slowly, without end, or with addresses elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from sandbox import tiny
from tests.hostile import server
from tests.hostile.case import SECRET, Case
from tests.hostile.server import Answer

Change = Callable[[Path], None]
ASSETS = ("blue", "green", "red", "scl")
NAME = "S2A_MSIL2A_20201005T052641_N0500_R005_T44RLV_20201005T101010"


def catalogue(search: Callable[[], Answer] | None = None, *, root: Answer | None = None, private: bool = True,
              **stac: Any) -> Change:  # fmt: skip
    """Take the scenes from the local server, whose landing page and search answer so."""

    def change(site: Path) -> None:
        base = server.address()
        links = [{"rel": rel, "href": f"{base}{path}", "type": "application/json"}
                 for rel, path in (("self", "/"), ("root", "/"), ("search", "/search"))]  # fmt: skip
        page = {"type": "Catalog", "id": "x", "stac_version": "1.0.0", "description": "x", "links": links,
                "conformsTo": [f"https://api.stacspec.org/v1.0.0/{part}"
                               for part in ("core", "item-search")]}  # fmt: skip
        server.serve("/", root or server.document(page))
        server.serve("/search", search() if search else server.document({"type": "FeatureCollection", "features": []}))
        content = yaml.safe_load((site / "params.yaml").read_text())
        content["ingest"] |= {
            "source": "stac",
            "stac": {"profile": "earth-search-c1", "url": base, "private_addresses": private} | stac,
        }
        content["prepare"] = {"bands": ["B02", "B03", "B04"], "storage": "sentinel2"}
        content["report"] = {"rgb": ["B04", "B03", "B02"]}
        content |= {"years": [2020], "training_years": [2020]}
        del content["ingest"]["raster"]
        tiny.write_params(site, content)

    return change


def item(href: str = "", *, name: str = NAME, **changes: Any) -> dict[str, Any]:
    """An item with these addresses of its files."""
    address = href or server.address() + "/files/x.tif"
    properties = {
        "datetime": "2020-10-05T05:26:41Z",
        "s2:processing_baseline": "05.00",
        "s2:product_uri": f"{name}.SAFE",
    }
    content = {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": None, "bbox": [0, 0, 1, 1], "links": [],
        "assets": {key: {"href": address} for key in ASSETS}, "properties": properties | changes.pop("properties", {}),
    }  # fmt: skip
    return content | changes


def page(*items: Any, **changes: Any) -> Answer:
    """One page with these items."""
    return server.document({"type": "FeatureCollection", "features": list(items), "links": []} | changes)


def endless() -> Answer:
    """Page after page, each with new items and a link to the next."""
    count = 0

    def answer(request: Any) -> None:
        nonlocal count
        count += 5000
        items = [{"type": "Feature", "id": str(count + n), "assets": {}, "properties": {}} for n in range(5000)]
        following = {"rel": "next", "href": f"{server.address()}/search?p={count}", "method": "GET"}
        page(*items, links=[following])(request)

    return answer


def same_page() -> Answer:
    """The same page again and again."""
    return page(item(), links=[{"rel": "next", "href": f"{server.address()}/search", "method": "GET"}])


PRIVATE = ["http://127.0.0.1:9/secret", "http://localhost:9/secret", "http://[::1]:9/x", "http://10.0.0.1/x",
           "http://169.254.169.254/latest/meta-data", "http://2130706433:9/x", "http://0x7f.1:9/x",
           "http://0.0.0.0:9/x"]  # fmt: skip
LINKS = ["file:///etc/passwd", "/etc/passwd", "/vsicurl/http://127.0.0.1:9/secret", "ftp://a/b", "javascript:alert(1)",
         "../../outside/keep.txt", ""]  # fmt: skip
IDS = ["../../../../outside/x", "/etc/x", "..", "", "a\nb", "<script>", "=HYPERLINK(1)", "A" * 5000, "\x1b[31m"]

ANSWERS: dict[str, tuple[Callable[[], Answer], str]] = {
    "a web page": (lambda: server.text("<html>404</html>"), "cannot be searched"),
    "nothing": (lambda: server.text(""), "cannot be searched"),
    "a list": (lambda: server.document([]), "cannot be searched"),
    "null": (lambda: server.document(None), "cannot be searched"),
    "features of another kind": (lambda: server.document({"features": 7}), "cannot be searched"),
    "features that are numbers": (lambda: page(1, 2), "cannot be searched"),
    "deep nesting": (lambda: server.text('{"a":' * 99_999), "cannot be searched"),
    "a number of 10,000 digits": (lambda: server.text('{"features": [], "numberMatched": ' + "9" * 9999 + "}"), ""),
    "binary": (lambda: server.text(bytes(range(256))), "cannot be searched"),
    "an error with a secret": (lambda: server.text("no", status=403), "cannot be searched"),
    "busy": (lambda: server.text("", status=503), "cannot be searched"),
    "a redirect in a circle": (lambda: server.redirect("/search"), "cannot be searched"),
    "a redirect to a file": (lambda: server.redirect("file:///etc/passwd"), "cannot be searched"),
    "a redirect to another scheme": (lambda: server.redirect("gopher://127.0.0.1:9/secret"), "cannot be searched"),
    "the same page without end": (same_page, "does not give all pages"),
    "new pages without end": (endless, "the catalogue "),
    "fewer items than it says": (lambda: page(item(), numberMatched=99), "does not give all pages"),
    "a next page on disk": (lambda: page(item(), links=[{"rel": "next", "href": "file:///etc/passwd"}]), ""),
    "no answer": (lambda: server.silence, "cannot be searched"),
    "an answer that drips": (lambda: server.drip(b"HTTP/1.1 200 OK\r\n\r\n{"), "cannot be searched"),
    "headers that drip": (lambda: server.drip(b"HTTP/1.1 200 OK\r\nX: "), "cannot be searched"),
    "a hundred megabytes": (lambda: server.text(b" " * 10**8), "cannot be searched"),
    "no item": (page, "no valid scene"),
    "items without files": (lambda: page(item(assets={})), "no valid scene"),
    "items without a time": (lambda: page(item(properties={"datetime": None})), ""),
    "items of the year 9999": (lambda: page(item(properties={"datetime": "9999-12-31T23:59:59-23:00"})), ""),
    "items with an infinite sun": (lambda: page(item(properties={"view:sun_elevation": 1e999})), ""),
    "items with a sun of text": (lambda: page(item(properties={"view:sun_elevation": "high"})), ""),
    "items with an orbit of text": (lambda: page(item(properties={"sat:relative_orbit": "x"})), ""),
    "files that are absent": (lambda: page(item()), ""),
}  # fmt: skip


def with_files(answer: Callable[[], Answer], **stac: Any) -> Change:
    """A catalogue of one item whose files answer so."""

    def change(site: Path) -> None:
        catalogue(lambda: page(item()), **stac)(site)
        server.serve("/files/", answer())

    return change


FILES: dict[str, tuple[Callable[[], Answer], str]] = {
    "are web pages": (lambda: server.text("<html/>"), ""),
    "are VRTs of the private network": (lambda: server.text(
        f'<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand band="1"><SimpleSource><SourceFilename>/vsicurl/'
        f"{server.address()}/secret</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"), ""),
    "redirect to a file": (lambda: server.redirect("file:///etc/passwd"), "is not asked"),
    "redirect in a circle": (lambda: server.redirect("/files/x.tif"), "is not asked"),
    "are forbidden": (lambda: server.text("", status=403), "refuses a file"),
}  # fmt: skip

CASES = [
    Case(door="catalogue", name=f"the search gives {name}", change=catalogue(answer), piece=piece)
    for name, (answer, piece) in ANSWERS.items()
] + [
    Case(door="catalogue", name=f"the files {name}", change=with_files(answer), piece=piece)
    for name, (answer, piece) in FILES.items()
] + [
    Case(door="catalogue", name=f"the catalogue at {url}", change=catalogue(private=False, url=url),
         piece="is not asked")
    for url in PRIVATE
] + [
    Case(door="catalogue", name=f"a file at {href!r}", change=catalogue(lambda href=href: page(item(href or " "))),
         piece="no valid scene") for href in LINKS
] + [
    Case(door="catalogue", name=f"an item called {name[:20]!r}", change=catalogue(lambda name=name: page(
        item(name=name, assets={}))), piece="no valid scene") for name in IDS
] + [
    Case(door="catalogue", name="a user and a password in its address", piece="***@",
         change=catalogue(private=True, url=f"http://anna:{SECRET}@127.0.0.1:9/v1")),
    Case(door="catalogue", name="a token in its address", change=catalogue(url=f"http://127.0.0.1:9/v1?sig={SECRET}")),
    Case(door="catalogue", name="a landing page of HTML", change=catalogue(root=server.text("<html/>"))),
    Case(door="catalogue", name="a landing page that is a list", change=catalogue(root=server.document([]))),
    Case(door="catalogue", name="a landing page that never comes", change=catalogue(root=server.silence)),
]  # fmt: skip
