"""Published retirement dates: one document about everybody's models."""

from typing import Any

from sample_world.simulator.documents import Document
from sample_world.simulator.speech import View


class RetirementsVoice(Document):
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
