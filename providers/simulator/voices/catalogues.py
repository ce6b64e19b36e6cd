"""Documents about everybody's models: models.dev, and published retirement dates."""

from typing import Any

from providers.simulator.speech import Refusal, Request, Response, View, hexdigest
from providers.simulator.world import WorldModel


class _Document:
    kind: str
    base_path: str = ""
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


class ModelsDevVoice(_Document):
    kind = "modelsdev"
    document_path = "/api.json"

    def document(self, view: View) -> Any:
        return {
            kind: {
                "id": kind,
                "name": kind.title(),
                "models": {m.id: _facts(m, view) for m in view.world.models(kind, view.day)},
            }
            for kind in view.world.kinds()
        }


def _facts(model: WorldModel, view: View) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": model.id,
        "name": model.name,
        "release_date": view.day_text(model.released),
        "last_updated": view.day_text(model.released),
        "reasoning": "reasoning" in model.parameters,
        "tool_call": "tools" in model.parameters,
        "modalities": {"input": list(model.inputs), "output": list(model.outputs)},
        "limit": {"context": model.context, "output": model.output},
    }
    if model.input_price is not None and model.output_price is not None:
        prices = (("input", model.input_price), ("output", model.output_price))
        facts["cost"] = {name: float(price) for name, price in prices}
    if model.lifecycle or model.deprecated is not None:
        facts["status"] = model.lifecycle or "deprecated"
    return facts


class RetirementsVoice(_Document):
    kind = "retirements"
    base_path = document_path = "/retirements.json"

    def document(self, view: View) -> Any:
        return [
            {
                "provider": kind,
                "id": model.id,
                "deprecated_on": None
                if model.deprecated is None
                else view.day_text(model.deprecated),
                "retires_on": view.day_text(model.retires),
                "precision": "exact",
                "replacement": model.replacement,
                "source": f"https://example.com/{kind}/deprecations",
            }
            for kind in view.world.kinds()
            for model in view.world.models(kind, view.day)
            if model.retires is not None
        ]
