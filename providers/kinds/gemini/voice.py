"""Google's Gemini API: key in a header, paged list, generateContent."""

from typing import Any
from urllib.parse import unquote

from sample_world.simulator.speech import Refusal, Request, Response, View, Voice
from sample_world.simulator.world import WorldModel


class GeminiVoice(Voice):
    kind = "gemini"
    base_path = "/v1beta"

    def check_key(self, request: Request, view: View) -> None:
        if request.headers.get("x-goog-api-key") not in view.keys:
            raise Refusal(400, "API key not valid. Please pass a valid API key.")

    def answer(self, request: Request, view: View) -> Response:
        if request.method == "GET" and request.path == "/v1beta/models":
            return self._list(request, view)
        if request.method == "GET" and request.path.startswith("/v1beta/models/"):
            name = unquote(request.path.removeprefix("/v1beta/models/"))
            return Response(self._row(view.find(name)))
        name, _, verb = request.path.removeprefix("/v1beta/models/").rpartition(":")
        if request.method == "POST" and verb == "generateContent":
            return self._generate(name, request, view)
        raise Refusal(404, "Requested entity was not found.")

    def _list(self, request: Request, view: View) -> Response:
        models, following = view.page(int(request.query.get("pageToken") or 0))
        body: dict[str, Any] = {"models": [self._row(model) for model in models]}
        if following is not None:
            body["nextPageToken"] = str(following)
        return Response(body)

    def _row(self, model: WorldModel) -> dict[str, Any]:
        is_chat = model.type == "chat"
        return {
            "name": f"models/{model.id}",
            "version": model.revision or "001",
            "displayName": model.name,
            "description": model.description,
            "inputTokenLimit": model.context,
            "outputTokenLimit": model.output,
            "supportedGenerationMethods": ["generateContent", "countTokens"]
            if is_chat
            else ["embedContent"],
            "temperature": 1,
            "topP": 0.95,
        }

    def _generate(self, name: str, request: Request, view: View) -> Response:
        body = request.json if isinstance(request.json, dict) else {}
        messages = [
            {
                "role": content.get("role", "user"),
                "content": "".join(p.get("text", "") for p in content.get("parts", [])),
            }
            for content in body.get("contents", [])
        ]
        limit = body.get("generationConfig", {}).get("maxOutputTokens")
        served, said = view.say(name, messages, limit)
        usage = {
            "promptTokenCount": said.input_tokens,
            "cachedContentTokenCount": said.cached_tokens,
            "candidatesTokenCount": said.output_tokens,
            "totalTokenCount": said.input_tokens + said.output_tokens,
        }
        answer: dict[str, Any] = {"usageMetadata": usage, "modelVersion": served.id}
        if said.finish == "refusal":
            return Response({**answer, "promptFeedback": {"blockReason": "SAFETY"}})
        candidate = {
            "content": {"role": "model", "parts": [{"text": said.text}] if said.text else []},
            "finishReason": {"stop": "STOP", "length": "MAX_TOKENS"}[said.finish],
            "index": 0,
        }
        return Response({**answer, "candidates": [candidate]})

    def error(self, status: int, message: str) -> Any:
        names = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
        name = names.get(status, "UNAVAILABLE")
        return {"error": {"code": status, "message": message, "status": name}}
