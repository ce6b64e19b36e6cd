"""What a browser would send: the controls of a form on a page, as they are filled in."""

from html.parser import HTMLParser
from typing import Any


class _Controls(HTMLParser):
    """Reads the successful controls of one form; buttons are not among them."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.is_inside = form_id, False
        self.found: dict[str, list[str]] = {}
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []
        self.textarea: str | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.is_inside = given.get("id") == self.form_id
        if not self.is_inside:
            return
        name, value = given.get("name"), given.get("value") or ""
        if tag == "input" and name:
            if given.get("type") in ("checkbox", "radio"):
                if "checked" in given:
                    self.found.setdefault(name, []).append(value or "on")
            elif given.get("type") not in ("submit", "button", "file"):
                self.found.setdefault(name, []).append(value)
        elif tag == "select":
            self.select, self.options = name, []
        elif tag == "option" and self.select is not None:
            self.options.append((value, "selected" in given))
        elif tag == "textarea":
            self.textarea, self.text = name, ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "select" and self.select is not None:
            chosen = [value for value, is_chosen in self.options if is_chosen]
            first = [value for value, _ in self.options[:1]]
            self.found.setdefault(self.select, []).extend(chosen or first)
            self.select = None
        elif tag == "textarea" and self.textarea is not None:
            # A browser leaves the first line break of a textarea out.
            self.found.setdefault(self.textarea, []).append(self.text.removeprefix("\n"))
            self.textarea = None


def controls(page: str, form_id: str) -> dict[str, Any]:
    """Return what the form on the page would send if nothing were touched."""
    reader = _Controls(form_id)
    reader.feed(page)
    return reader.found
