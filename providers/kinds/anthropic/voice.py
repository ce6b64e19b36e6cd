"""Anthropic's Messages API and its paged list."""

from typing import Any
from urllib.parse import unquote

from sample_world.simulator.speech import Refusal, Request, Response, View, Voice, hexdigest
from sample_world.simulator.world import WorldModel


class AnthropicVoice(Voice):
    kind = "anthropic"
    base_path = "/v1"

    def check_key(self, request: Request, view: View) -> None:
        if request.headers.get("x-api-key") not in view.keys:
            raise Refusal(401, "invalid x-api-key")

    def answer(self, request: Request, view: View) -> Response:
        if request.headers.get("anthropic-version") != "2023-06-01":
            raise Refusal(400, "anthropic-version: header is required")
        if request.method == "GET" and request.path == "/v1/models":
            return self._list(request, view)
        if request.method == "GET" and request.path.startswith("/v1/models/"):
            name = unquote(request.path.removeprefix("/v1/models/"))
            return Response(self._row(view.find(name), view))
        if request.method == "POST" and request.path == "/v1/messages":
            return self._complete(request, view)
        raise Refusal(404, "Not found")

    def _list(self, request: Request, view: View) -> Response:
        ids = [model.id for model in view.models()]
        after = request.query.get("after_id")
        models, following = view.page(ids.index(after) + 1 if after in ids else 0)
        rows = [self._row(model, view) for model in models]
        return Response(
            {
                "data": rows,
                "has_more": following is not None,
                "first_id": rows[0]["id"] if rows else None,
                "last_id": rows[-1]["id"] if rows else None,
            }
        )

    def _row(self, model: WorldModel, view: View) -> dict[str, Any]:
        is_old = model.id.startswith("claude-2")
        return {
            "type": "model",
            "id": model.id,
            "display_name": model.name,
            "created_at": "1970-01-01T00:00:00Z" if is_old else view.created_text(model),
        }

    def _complete(self, request: Request, view: View) -> Response:
        body = request.json if isinstance(request.json, dict) else {}
        messages = body.get("messages", [])
        if not isinstance(body.get("max_tokens"), int):
            raise Refusal(400, "max_tokens: Field required")
        if any(m.get("role") == "system" for m in messages):
            raise Refusal(400, 'messages: Unexpected role "system"')
        served, said = view.say(str(body.get("model")), messages, body["max_tokens"])
        reasons = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal"}
        return Response(
            {
                "id": f"msg_{hexdigest(said.text, 24)}",
                "type": "message",
                "role": "assistant",
                "model": served.id,
                "content": [{"type": "text", "text": said.text}] if said.text else [],
                "stop_reason": reasons[said.finish],
                "stop_sequence": None,
                "usage": {
                    "input_tokens": said.plain_input_tokens,
                    "cache_creation_input_tokens": said.cache_write_tokens,
                    "cache_read_input_tokens": said.cached_tokens,
                    "output_tokens": said.output_tokens,
                },
            }
        )

    def error(self, status: int, message: str) -> Any:
        names = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
        default = "invalid_request_error" if status < 500 else "overloaded_error"
        return {"type": "error", "error": {"type": names.get(status, default), "message": message}}
