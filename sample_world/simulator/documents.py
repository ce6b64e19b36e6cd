"""Public documents about everybody's models, answered with an ETag."""

from typing import Any

from sample_world.simulator.speech import Refusal, Request, Response, View, Voice, hexdigest


class Document(Voice):
    """A voice that gives one document, under ``document_path``."""

    document_path: str

    def check_key(self, request: Request, view: View) -> None:
        """These documents are public."""

    def answer(self, request: Request, view: View) -> Response:
        if request.method != "GET" or request.path != self.document_path:
            raise Refusal(404, "Not found")
        document = self.document(view)
        etag = f'"{hexdigest(repr(document), 16)}"'
        if request.headers.get("if-none-match") == etag:
            return Response(None, status=304, headers={"ETag": etag})
        return Response(document, headers={"ETag": etag})

    def document(self, view: View) -> Any:
        raise NotImplementedError

    def error(self, status: int, message: str) -> Any:
        return {"error": message}
