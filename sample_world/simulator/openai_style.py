"""OpenAI's API as the simulator speaks it, and what the voices of its copies share."""

from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from sample_world.simulator.mind import Said
from sample_world.simulator.speech import (
    Refusal,
    Request,
    Response,
    View,
    Voice,
    check_bearer,
    hexdigest,
)
from sample_world.simulator.world import WorldModel


class OpenAIStyle(Voice):
    """A voice for ``/models`` and ``/chat/completions``."""

    base_path = "/v1"

    def check_key(self, request: Request, view: View) -> None:
        check_bearer(request, view)

    def answer(self, request: Request, view: View) -> Response:
        path = request.path.removeprefix(self.base_path)
        if request.method == "GET" and path == "/models":
            return self.list(request, view)
        if request.method == "POST" and path == "/chat/completions":
            return complete(request, view)
        if request.method == "GET" and path.startswith("/models/"):
            return self.one(unquote(path.removeprefix("/models/")), view)
        raise Refusal(404, f"Unknown request URL: {request.method} {request.path}.")

    def list(self, request: Request, view: View) -> Response:
        return Response({"object": "list", "data": [self.row(m, view) for m in view.models()]})

    def one(self, model_id: str, view: View) -> Response:
        return Response({**self.row(view.find(model_id), view), "id": model_id})

    def row(self, model: WorldModel, view: View) -> dict[str, Any]:
        retires = None if model.retires is None else view.day_text(model.retires)
        return {
            "id": model.id,
            "object": "model",
            "created": view.created_at(model),
            "owned_by": "system",
            "shutdown_date": retires,
        }

    def error(self, status: int, message: str) -> Any:
        kind = "invalid_request_error" if status < 500 else "server_error"
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def complete(request: Request, view: View) -> Response:
    """Answer a chat completion in OpenAI's form."""
    body = request.json if isinstance(request.json, dict) else {}
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    served, said = view.say(str(body.get("model", "")), body.get("messages", []), limit)
    return Response(chat_body(served, said, view))


def chat_body(served: WorldModel, said: Said, view: View) -> dict[str, Any]:
    """Return a chat completion, with OpenRouter's cost where the model has prices."""
    is_refusal = said.finish == "refusal"
    usage: dict[str, Any] = {
        "prompt_tokens": said.input_tokens,
        "completion_tokens": said.output_tokens,
        "total_tokens": said.input_tokens + said.output_tokens,
        "prompt_tokens_details": {"cached_tokens": said.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    if view.kind == "openrouter" and served.input_price is not None:
        price = served.input_price * said.input_tokens
        price += (served.output_price or 0) * said.output_tokens
        usage["cost"] = float(max(price, Decimal(0)) / 1_000_000)
    return {
        "id": f"chatcmpl-{hexdigest(said.text, 16)}",
        "object": "chat.completion",
        "created": view.world.epoch_of(view.day),
        "model": served.id,
        "system_fingerprint": f"fp_{hexdigest(served.id + served.revision, 10)}",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop" if is_refusal else said.finish,
                "message": {
                    "role": "assistant",
                    "content": None if is_refusal else said.text,
                    "refusal": said.text if is_refusal else None,
                },
            }
        ],
        "usage": usage,
    }
