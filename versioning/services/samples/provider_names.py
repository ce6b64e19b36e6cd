"""What conventions and libraries call the kinds of providers and the known servers."""

from collections.abc import Collection

KIND_OF = {
    "aws.bedrock": "bedrock", "aws_bedrock": "bedrock", "amazon-bedrock": "bedrock",
    "amazon_bedrock": "bedrock", "bedrock_converse": "bedrock",
    "azure.ai.openai": "azure", "az.ai.openai": "azure", "azure_openai": "azure",
    "azure-openai": "azure", "azure.ai.inference": "azure", "az.ai.inference": "azure",
    "azure_ai": "azure",
    "gcp.gemini": "gemini", "gcp.gen_ai": "gemini", "google.generative-ai": "gemini",
    "google_genai": "gemini", "google_ai_studio": "gemini",
    "mistral_ai": "mistral", "mistralai": "mistral", "ollama_chat": "ollama",
    "hugging_face": "huggingface",
    "x_ai": "xai", "x-ai": "xai", "together_ai": "together", "togetherai": "together",
    "fireworks_ai": "fireworks", "moonshot_ai": "moonshot",
    "hosted_vllm": "vllm", "lm_studio": "lmstudio",
}  # fmt: skip
"""What conventions and libraries call a provider, where we say it otherwise."""


def provider_words(slug: str, kind: str) -> frozenset[str]:
    """Return what may stand before the names of a provider's own models, in lower case.

    Its name here, and what libraries call it or its kind: ``ollama_chat/`` is Ollama's, too.
    """
    own = {slug.lower(), kind}
    others = {name for name, meant in KIND_OF.items() if meant in own}
    return frozenset(own | others | ({"models"} if kind == "gemini" else set()))


def bare_name(name: str, words: Collection[str]) -> str:
    """Return the name without the provider's own words before it, such as ``models/``."""
    first, slash, rest = name.partition("/")
    while slash and rest and first.lower() in words:
        name = rest
        first, slash, rest = name.partition("/")
    return name
