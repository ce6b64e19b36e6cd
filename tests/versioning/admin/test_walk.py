"""What holds for the page of every route."""

import re
from collections import defaultdict

from django.test import Client

from tests.versioning.admin.walk import make_world, pages

TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)

SIGNS = re.compile(r"[^\n]{0,60}(?:-&gt;|>\s*None\s*<)[^\n]{0,30}")
"""What is written for programs: two signs for an arrow, and the name of nothing."""


def test_each_page_is_there_and_has_a_title_of_its_own(boss: Client) -> None:
    """``pages`` raises where a route has no page that the world could show."""
    make_world()
    titles = defaultdict[str, list[str]](list)
    found = pages(boss)
    for page in found:
        assert page.answer.status_code == 200, page.address
        title = " ".join(TITLE.search(page.html)[1].split())  # type: ignore[index]
        titles[title].append(page.address)
        assert ' style="' not in page.html, page.address  # the content policy would block it
        assert SIGNS.findall(page.html) == [], page.address
    assert {title: shared for title, shared in titles.items() if len(shared) > 1} == {}
    assert len(found) > 150
