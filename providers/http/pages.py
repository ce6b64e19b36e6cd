"""Walk a listing that comes in pages, and stop where it would never end."""

from collections.abc import Callable, Iterator
from typing import Any

from providers.base import Nonsense

# A hundred full pages hold more models than any provider has: more is a list that never ends.
MAX_PAGES = 100


def follow_pages(
    fetch: Callable[[str], Any], first: str, next_of: Callable[[Any], str]
) -> Iterator[Any]:
    """Yield each page from ``first`` on; ``next_of`` gives the next page's mark, empty at the end.

    Raises Nonsense where a mark comes again, or after ``MAX_PAGES`` pages.
    """
    mark, seen = first, {first}
    for _ in range(MAX_PAGES):
        page = fetch(mark)
        yield page
        mark = next_of(page)
        if not mark:
            return
        if mark in seen:
            raise Nonsense("The listing's pages go in a circle: not believed.")
        seen.add(mark)
    raise Nonsense(f"The listing has more than {MAX_PAGES} pages: not believed.")
