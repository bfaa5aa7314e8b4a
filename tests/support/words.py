"""The words and tags of a piece of HTML."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["Words"]


class Words(HTMLParser):
    """Collects what a reader would see, and with which tags."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note the tag."""
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text.append(data)
