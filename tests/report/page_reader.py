"""Read a page as a browser would: what it loads, what it says, and the exact values in it."""

from __future__ import annotations

from html.parser import HTMLParser


class Reader(HTMLParser):
    """Tags that must be closed, sources, alternative texts, exact values and text."""

    VOID = frozenset({"meta", "img", "link", "br", "hr", "input"})
    UNREAD = frozenset({"script", "style"})

    def __init__(self):
        super().__init__()
        self.open, self.sources, self.alternatives, self.values, self.tags = [], [], [], [], set()
        self.text, self.ids = "", []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
        self.ids += [value for key, value in attrs if key == "id"]
        self.sources += [value for key, value in attrs if key in ("src", "href", "srcset")]
        if tag == "img":
            self.alternatives.append(attributes.get("alt"))
        if tag == "data":
            self.values.append(float(attributes["value"]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.UNREAD & set(self.open):
            self.text += data


def read_page(folder):
    return read_text((folder / "index.html").read_text(encoding="utf-8"))


def read_text(text):
    """Read a page whose tags are closed, whose ids are there once, and whose own links lead to one of them."""
    page = Reader()
    page.feed(text)
    page.text = " ".join(page.text.split())
    assert page.open == []
    assert len(page.ids) == len(set(page.ids)), page.ids
    assert {link[1:] for link in page.sources if link and link.startswith("#")} <= set(page.ids)
    return page
