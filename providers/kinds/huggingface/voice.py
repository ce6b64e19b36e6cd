"""The Hugging Face hub's list with Link pages, and its inference router."""

from typing import Any

from sample_world.simulator.openai_style import complete
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


class HuggingFaceVoice(Voice):
    kind = "huggingface"

    def check_key(self, request: Request, view: View) -> None:
        check_bearer(request, view, optional=request.method == "GET")

    def answer(self, request: Request, view: View) -> Response:
        if request.method == "POST" and request.path == "/v1/chat/completions":
            return complete(request, view)
        if request.method == "GET" and request.path == "/api/models":
            return self._list(request, view)
        name = request.path.removeprefix("/api/models/")
        if request.method == "GET" and name != request.path:
            if name.endswith("/refs"):
                return self._refs(view.find(name.removesuffix("/refs")))
            return Response(self._row(view.find(name), view))
        raise Refusal(404, "Sorry, we can't find the page you are looking for.")

    def _list(self, request: Request, view: View) -> Response:
        models, following = view.page(int(request.query.get("cursor") or 0))
        wanted = [
            model
            for model in models
            if model.id.startswith(f"{request.query.get('author', '')}")
            and request.query.get("search", "").lower() in model.id.lower()
        ]
        headers = {}
        if following is not None:
            kept = "".join(
                f"&{name}={value}" for name, value in request.query.items() if name != "cursor"
            )
            link = f"{view.base_url}/api/models?cursor={following}{kept}"
            headers["Link"] = f'<{link}>; rel="next"'
        return Response([self._row(model, view) for model in wanted], headers=headers)

    def _row(self, model: WorldModel, view: View) -> dict[str, Any]:
        card = {"new_version": model.replacement} if model.replacement else {}
        return {
            "_id": hexdigest(model.id, 24),
            "id": model.id,
            "modelId": model.id,
            "sha": hexdigest(model.revision, 40),
            "createdAt": view.created_text(model),
            "lastModified": view.time_text(model.released),
            "private": False,
            "gated": model.id.startswith("meta-llama/") and "manual",
            "disabled": False,
            "pipeline_tag": "text-generation" if model.type == "chat" else "feature-extraction",
            "tags": ["transformers", "safetensors"],
            "cardData": card,
        }

    def _refs(self, model: WorldModel) -> Response:
        commit = hexdigest(model.revision, 40)
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": commit}
        return Response({"branches": [main], "tags": [], "converts": []})

    def error(self, status: int, message: str) -> Any:
        return {"error": message}
