"""models.dev: one document about everybody's models."""

from typing import Any

from sample_world.simulator.documents import Document
from sample_world.simulator.speech import View
from sample_world.simulator.world import WorldModel


class ModelsDevVoice(Document):
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
