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
        self.text = ""

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
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
    page = Reader()
    page.feed((folder / "index.html").read_text(encoding="utf-8"))
    page.text = " ".join(page.text.split())
    assert page.open == []
    return page
