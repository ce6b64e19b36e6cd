"""OpenRouter's paged list with prices; chats are in OpenAI's form."""

from decimal import Decimal
from typing import Any

from sample_world.simulator.openai_style import OpenAIStyle
from sample_world.simulator.speech import Request, Response, View, check_bearer
from sample_world.simulator.world import WorldModel


class OpenRouterVoice(OpenAIStyle):
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
