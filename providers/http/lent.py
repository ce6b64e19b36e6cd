"""A session lent to libraries that speak HTTP by themselves: each request has our limits, too."""

from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

from providers.base import Nonsense
from providers.http import deadline
from providers.http.transport import NoReply, Reply, exchange, make_ours

CONNECT_S = 5.0
TOTAL_S = 10.0
MAX_BYTES = 1024 * 1024

Unusable = requests.RequestException
"""What a lent session raises, and its answers where they can't be read."""


class LentSession(requests.Session):
    """Follows no redirect, and raises RequestException for what takes too long or is too large.

    Where what is done has a deadline already (``deadline.ends_within``), all requests share it.
    """

    def __init__(self, *, total_s: float = TOTAL_S, max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self._total_s, self._max_bytes = total_s, max_bytes
        make_ours(self)

    def send(self, request: requests.PreparedRequest, **said: Any) -> requests.Response:
        whole = deadline.current()
        total_s = self._total_s if whole is None else min(self._total_s, whole.left_s())
        try:
            answer = exchange(
                self,
                request,
                connect_s=CONNECT_S,
                read_s=total_s,
                total_s=total_s,
                max_bytes=self._max_bytes,
                settings={"stream": True, **{k: said[k] for k in ("verify", "cert", "proxies")}},
            )
        except Nonsense as error:
            raise requests.exceptions.ContentDecodingError(str(error), request=request) from error
        if isinstance(answer, NoReply):
            kind = requests.Timeout if answer.late else requests.ConnectionError
            raise kind(answer.reason, request=request)
        return _as_response(answer, request)


def _as_response(answer: Reply, request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.request, response.url = request, str(request.url)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response._content = answer.body
    return response
