"""How Hotswap's simulator plays Acme, for the conformance tests."""

from typing import Any

from sample_world.simulator.openai_style import OpenAIStyle
from sample_world.simulator.speech import View
from sample_world.simulator.world import WorldModel


class AcmeVoice(OpenAIStyle):
    kind = "acme"
    models = tuple(WorldModel(f"anvil-{number}") for number in range(1, 7))

    def row(self, model: WorldModel, view: View) -> dict[str, Any]:
        return {"id": model.id, "window": model.context}
