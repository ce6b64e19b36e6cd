"""Azure OpenAI's data plane: models with lifecycle, deployments in the path."""

from typing import Any
from urllib.parse import unquote

from sample_world.simulator.openai_style import chat_body
from sample_world.simulator.speech import Refusal, Request, Response, View, Voice
from sample_world.simulator.world import WorldModel


class AzureVoice(Voice):
    kind = "azure"

    def check_key(self, request: Request, view: View) -> None:
        if request.headers.get("api-key") not in view.keys:
            raise Refusal(401, "Access denied due to invalid subscription key.")

    def answer(self, request: Request, view: View) -> Response:
        if not request.query.get("api-version"):
            raise Refusal(404, "Resource not found")
        if request.method == "GET" and request.path == "/openai/models":
            return self._list(request, view)
        if request.method == "GET" and request.path.startswith("/openai/models/"):
            name = unquote(request.path.removeprefix("/openai/models/"))
            return Response(_row(view.find(name), view))
        parts = request.path.removeprefix("/openai/deployments/").split("/", 1)
        if request.method == "POST" and parts[1:] == ["chat/completions"]:
            body = request.json if isinstance(request.json, dict) else {}
            limit = body.get("max_completion_tokens", body.get("max_tokens"))
            served, said = view.say(parts[0], body.get("messages", []), limit)
            return Response(chat_body(served, said, view))
        raise Refusal(404, "Resource not found")

    def _list(self, request: Request, view: View) -> Response:
        models, following = view.page(int(request.query.get("skip") or 0))
        body: dict[str, Any] = {"object": "list", "data": [_row(m, view) for m in models]}
        if following is not None:
            version = request.query["api-version"]
            body["nextLink"] = (
                f"{view.base_url}/openai/models?api-version={version}&skip={following}"
            )
        return Response(body)

    def error(self, status: int, message: str) -> Any:
        return {"error": {"code": str(status), "message": message}}


def _row(model: WorldModel, view: View) -> dict[str, Any]:
    is_chat = model.type == "chat"
    created = view.created_at(model)
    is_leaving = model.deprecated is not None
    lifecycle = model.lifecycle or ("deprecated" if is_leaving else "generally-available")
    row: dict[str, Any] = {
        "id": model.id,
        "object": "model",
        "status": "succeeded",
        "created_at": created,
        "updated_at": created,
        "lifecycle_status": lifecycle,
        "capabilities": {
            "chat_completion": is_chat,
            "completion": False,
            "embeddings": not is_chat,
            "inference": True,
            "fine_tune": False,
        },
    }
    if model.retires is not None:
        row["deprecation"] = {"inference": view.world.epoch_of(model.retires)}
    return row
