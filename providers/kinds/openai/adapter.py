"""OpenAI, and every server that copies its API: the base URL says which."""

from datetime import datetime
from urllib.parse import urlsplit

from providers import openai_style
from providers.base import (
    Adapter,
    ChatAnswer,
    ChatRequest,
    Connection,
    Listing,
    ServerPreset,
    Witness,
)
from providers.http import Client

PRESETS = (
    ServerPreset("openai", "OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY"),
    ServerPreset("cerebras", "Cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    ServerPreset(
        "deepinfra", "DeepInfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"
    ),
    ServerPreset("deepseek", "DeepSeek", "https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    ServerPreset(
        "fireworks", "Fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"
    ),
    ServerPreset("groq", "Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    ServerPreset("moonshot", "Moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    ServerPreset("nvidia", "NVIDIA", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    ServerPreset("sambanova", "SambaNova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    ServerPreset("together", "Together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    ServerPreset("xai", "xAI", "https://api.x.ai/v1", "XAI_API_KEY"),
    ServerPreset("llamacpp", "llama.cpp server", "http://127.0.0.1:8080/v1"),
    ServerPreset("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1"),
    ServerPreset("localai", "LocalAI", "http://127.0.0.1:8080/v1"),
    ServerPreset("sglang", "SGLang", "http://127.0.0.1:30000/v1"),
    ServerPreset("vllm", "vLLM", "http://127.0.0.1:8000/v1"),
)


class OpenAI(Adapter):
    """``GET /models`` and ``POST /chat/completions`` under the base URL."""

    kind = "openai"
    label = "OpenAI or a compatible server"
    default_base_url = "https://api.openai.com/v1"
    default_key_variable = "OPENAI_API_KEY"
    needs_key = False  # a server on the own machine usually asks for none
    supports_retirement = True
    presets = PRESETS

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.client = Client(connection, secret_headers=openai_style.bearer(connection.api_key))

    def list_models(self, *, at: datetime) -> Listing:
        # llama.cpp answers both: ``models`` in Ollama's form, ``data`` in OpenAI's.
        rows = openai_style.read_rows(self.client.get("models").json, "data", "models")
        return openai_style.read_listing(rows, at=at)

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        return openai_style.look_at(self.client, model_id)

    def complete(self, request: ChatRequest) -> ChatAnswer:
        # OpenAI's reasoning models refuse max_tokens; most copies know only that.
        at_openai = urlsplit(self.connection.base_url).hostname == "api.openai.com"
        name = "max_completion_tokens" if at_openai else "max_tokens"
        return openai_style.complete(self.client, request, max_tokens_name=name)
