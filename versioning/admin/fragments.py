"""Pieces of pages that static/hotswap/live.js asks for again while something is under way."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response


def answer(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    """Return the piece with the hash of what it says, or 304 to whoever has it as it is.

    Django's own conditional pages leave out what browsers may not store, as all of the admin.
    """
    html = render_to_string(template, dict(context), request)
    etag = f'"{hashlib.blake2b(html.encode(), digest_size=12).hexdigest()}"'
    response = HttpResponse(html, headers={"ETag": etag})
    as_it_is: Any = get_conditional_response(request, etag=etag, response=response)
    return as_it_is if isinstance(as_it_is, HttpResponse) else response
