"""Mistral's list, one row per alias; chats are in OpenAI's form."""

from typing import Any

from sample_world.simulator.openai_style import OpenAIStyle
from sample_world.simulator.speech import Request, Response, View
from sample_world.simulator.world import WorldModel


class MistralVoice(OpenAIStyle):
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
