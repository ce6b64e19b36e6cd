"""Ollama: tags with digests, and chats whose durations are in nanoseconds."""

from typing import Any

from sample_world.simulator.speech import Refusal, Request, Response, View, Voice, hexdigest
from sample_world.simulator.world import WorldModel


class OllamaVoice(Voice):
    kind = "ollama"

    def check_key(self, request: Request, view: View) -> None:
        """A local server asks for none."""

    def answer(self, request: Request, view: View) -> Response:
        body = request.json if isinstance(request.json, dict) else {}
        if request.method == "GET" and request.path == "/api/tags":
            return Response({"models": [self._row(model, view) for model in view.models()]})
        if request.method == "POST" and request.path == "/api/show":
            return self._show(view.find(str(body.get("model"))), view)
        if request.method == "POST" and request.path == "/api/chat":
            return self._chat(body, view)
        raise Refusal(404, "404 page not found")

    def _row(self, model: WorldModel, view: View) -> dict[str, Any]:
        return {
            "name": model.id,
            "model": model.id,
            "modified_at": view.time_text(model.released),
            "size": 4_661_224_676,
            "digest": hexdigest(model.revision),
            "details": self._details(model),
        }

    def _details(self, model: WorldModel) -> dict[str, Any]:
        line, _, size = model.id.partition(":")
        return {
            "parent_model": "",
            "format": "gguf",
            "family": line,
            "families": [line],
            "parameter_size": size.upper(),
            "quantization_level": "Q4_K_M",
        }

    def _show(self, model: WorldModel, view: View) -> Response:
        line = model.id.partition(":")[0]
        return Response(
            {
                "details": self._details(model),
                "model_info": {
                    "general.architecture": line,
                    f"{line}.context_length": model.context,
                },
                "capabilities": ["embedding"] if model.type == "embedding" else ["completion"],
                "modified_at": view.time_text(model.released),
            }
        )

    def _chat(self, body: dict[str, Any], view: View) -> Response:
        options = body.get("options") or {}
        served, said = view.say(
            str(body.get("model")), body.get("messages", []), options.get("num_predict")
        )
        return Response(
            {
                "model": served.id,
                "created_at": view.time_text(view.day),
                "message": {"role": "assistant", "content": said.text},
                "done": True,
                "done_reason": "length" if said.finish == "length" else "stop",
                "total_duration": 5_000_000,
                "load_duration": 1_000_000,
                "prompt_eval_count": said.input_tokens,
                "prompt_eval_duration": 1_000_000,
                "eval_count": said.output_tokens,
                "eval_duration": 3_000_000,
            }
        )

    def error(self, status: int, message: str) -> Any:
        return {"error": message}
