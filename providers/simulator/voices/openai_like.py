"""OpenAI's own API, and those of Mistral and OpenRouter, who answer chats in the same form."""

from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from providers.simulator.mind import Said
from providers.simulator.speech import Refusal, Request, Response, View, check_bearer, hexdigest
from providers.simulator.world import WorldModel


class OpenAIVoice:
    kind = "openai"
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


class MistralVoice(OpenAIVoice):
    kind = "mistral"

    def list(self, request: Request, view: View) -> Response:
        rows = [
            {**self.row(model, view), "id": name, "aliases": [n for n in names if n != name]}
            for model in view.models()
            for names in [(model.id, *model.aliases)]
            for name in names
        ]
        return Response({"object": "list", "data": rows})

    def row(self, model: WorldModel, view: View) -> dict[str, Any]:
        retires = None if model.retires is None else view.time_text(model.retires)
        return {
            "id": model.id,
            "object": "model",
            "created": view.world.epoch_of(view.day),  # the time of asking, as the real one
            "owned_by": "mistralai",
            "name": model.id,
            "description": model.description or None,
            "deprecation": retires,
            "deprecation_replacement_model": model.replacement or None,
            "max_context_length": model.context,
            "type": "base",
            "capabilities": {
                "completion_chat": model.type == "chat",
                "function_calling": "tools" in model.parameters,
                "vision": "image" in model.inputs,
                "fine_tuning": False,
            },
        }

    def error(self, status: int, message: str) -> Any:
        return {"detail": message} if status == 401 else {"object": "error", "message": message}


class OpenRouterVoice(OpenAIVoice):
    kind = "openrouter"
    base_path = "/api/v1"

    def check_key(self, request: Request, view: View) -> None:
        check_bearer(request, view, optional=request.method == "GET")

    def list(self, request: Request, view: View) -> Response:
        start = int(request.query.get("offset", "0"))
        models, following = view.page(start)
        link = f"{view.base_url}/models?offset={following}" if following is not None else None
        return Response(
            {
                "data": [self.row(model, view) for model in models],
                "links": {"next": link},
                "totalCount": len(view.models()),
            }
        )

    def one(self, model_id: str, view: View) -> Response:
        model = view.find(model_id.removesuffix("/endpoints"))
        endpoints = [] if model.refuses else [{"name": "Simulated", "status": 0}]
        return Response({"data": {"id": model.id, "name": model.name, "endpoints": endpoints}})

    def row(self, model: WorldModel, view: View) -> dict[str, Any]:
        expires = None if model.retires is None else view.day_text(model.retires)
        return {
            "id": model.id,
            "canonical_slug": model.revision or model.id,
            "hugging_face_id": model.hugging_face_id,
            "name": model.name,
            "created": view.created_at(model),
            "description": model.description,
            "context_length": model.context,
            "architecture": {
                "modality": f"{'+'.join(model.inputs)}->{'+'.join(model.outputs)}",
                "input_modalities": list(model.inputs),
                "output_modalities": list(model.outputs),
                "tokenizer": "Other",
                "instruct_type": None,
            },
            "pricing": {
                "prompt": _per_token(model.input_price),
                "completion": _per_token(model.output_price),
                "request": "0",
            },
            "top_provider": {
                "context_length": model.context,
                "max_completion_tokens": model.output,
                "is_moderated": False,
            },
            "per_request_limits": None,
            "supported_parameters": list(model.parameters),
            "expiration_date": "2098-12-31" if model.placeholder_expiry else expires,
        }


def _per_token(price: Decimal | None) -> str:
    return "0" if price is None else f"{price / 1_000_000:f}"


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
        "prompt_tokens_details": {"cached_tokens": 0},
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
