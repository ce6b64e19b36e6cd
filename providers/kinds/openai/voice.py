"""OpenAI's own API."""

from sample_world.simulator.openai_style import OpenAIStyle


class OpenAIVoice(OpenAIStyle):
    kind = "openai"
