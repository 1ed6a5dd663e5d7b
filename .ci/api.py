"""Prints the declarations in a folder of rustdoc's pages, one a line, each after the page that it is on."""

import pathlib
import re
import sys
from html.parser import HTMLParser


class Declarations(HTMLParser):
    """Collects the text of item declarations, and of the headers of methods and implementations."""

    def __init__(self):
        super().__init__()
        self.open = []  # the elements around, each with whether it is a declaration
        self.text = None  # that of the declaration so far
        self.found = []
        self.blanket = False  # implementations for all types say nothing of this crate

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        classes = (attributes.get("class") or "").split()
        if attributes.get("id", "").startswith("blanket-implementations"):
            self.blanket = True
        is_declaration = self.text is None and ("item-decl" in classes or "code-header" in classes)
        if is_declaration:
            self.text = ""
        if tag not in ("br", "hr", "img", "input", "link", "meta", "wbr"):
            self.open.append((tag, is_declaration))

    def handle_endtag(self, tag):
        while self.open:
            name, is_declaration = self.open.pop()
            if is_declaration:
                if not self.blanket:
                    self.found.append(re.sub(r"\s+", " ", self.text).strip())
                self.text = None
            if name == tag:
                return

    def handle_data(self, data):
        if self.text is not None:
            self.text += data


root = pathlib.Path(sys.argv[1])
for page in sorted(root.rglob("*.html")):
    name = page.relative_to(root)
    # `guide` holds pages of text.
    if name.parts[0] in ("guide", "all.html"):
        continue
    parser = Declarations()
    parser.feed(page.read_text(encoding="utf-8"))
    for declaration in sorted(set(parser.found)):
        print(f"{name}: {declaration}")
