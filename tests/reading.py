"""A page as a reader without eyes has it: elements, figures and words."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    """The page's elements, its figures and its words."""

    VOID = ("meta", "img", "wbr")
    INLINE = ("a", "b", "span", "wbr")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.figures, self.words = [], [], [], []
        self.feed(text)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self.words.append("" if tag in self.INLINE else " ")
        if tag not in self.VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)
        if tag == "figure":
            self.figures.append({"id": attrs["id"], "pictures": [], "tables": 0})
        if "figure" in self.open and tag in ("svg", "img"):
            self.figures[-1]["pictures"].append(attrs.get("aria-label") or attrs.get("alt"))
        if "figure" in self.open and "details" in self.open and tag == "table":
            self.figures[-1]["tables"] += 1

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())
