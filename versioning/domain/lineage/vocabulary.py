"""The words of model ids, as data. `docs/lineage.md` says when a word belongs here.

A word that stands in no table is kept as it is and must be equal on both sides, so a missing
word can only make the answer more careful. None of these tables names a release.
"""

from types import MappingProxyType
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Owners and brands that stand for the same maker.
VENDORS: Final = MappingProxyType(
    {
        name: vendor
        for vendor, names in {
            "ai21": "ai21 ai21labs ai21-labs",
            "alibaba": "alibaba alibaba-cloud qwen",
            "allenai": "allenai ai2",
            "amazon": "amazon aws",
            "anthropic": "anthropic",
            "baai": "baai",
            "baidu": "baidu",
            "bytedance": "bytedance bytedance-seed volcengine",
            "cohere": "cohere coherelabs cohereforai cohere-labs",
            "deepseek": "deepseek deepseek-ai deepseekai",
            "google": "google",
            "ibm": "ibm ibm-granite",
            "meta": "meta meta-llama facebook metaai",
            "microsoft": "microsoft azure-openai",
            "minimax": "minimax minimaxai",
            "mistral": "mistral mistralai mistral-ai",
            "moonshot": "moonshot moonshotai moonshot-ai",
            "nvidia": "nvidia",
            "openai": "openai",
            "perplexity": "perplexity perplexity-ai",
            "stepfun": "stepfun stepfun-ai",
            "tencent": "tencent",
            "xai": "xai x-ai",
            "xiaomi": "xiaomi xiaomimimo",
            "zhipu": "zhipu zhipuai zai z-ai zai-org thudm",
        }.items()
        for name in names.split()
    }
)

# Family words and their makers, for ids that name no owner.
FAMILIES: Final = MappingProxyType(
    {
        family: vendor
        for vendor, families in {
            "ai21": "jamba",
            "alibaba": "qwq qvq",
            "allenai": "olmo molmo",
            "amazon": "nova titan",
            "anthropic": "claude",
            "baidu": "ernie",
            "bytedance": "doubao seed",
            "cohere": "command",
            "google": "gemini gemma palm imagen veo codegemma",
            "ibm": "granite",
            "meta": "llama",
            "microsoft": "phi",
            "mistral": ("mixtral ministral magistral codestral devstral pixtral voxtral mathstral"),
            "moonshot": "kimi",
            "nvidia": "nemotron",
            "openai": "gpt chatgpt o davinci babbage whisper dall sora codex",
            "perplexity": "sonar",
            "tencent": "hunyuan",
            "xai": "grok",
            "xiaomi": "mimo",
            "zhipu": "glm",
        }.items()
        for family in families.split()
    }
)

# Open weights that others build on: beside another maker's family they name the parent.
PARENTS: Final = _words("llama qwen mistral mixtral gemma phi deepseek glm gpt")

# Makers that serve their own models: the vendor of an id that says nothing else.
OWN_SERVICES: Final = MappingProxyType(
    {
        "ai21": "ai21",
        "alibaba": "alibaba",
        "anthropic": "anthropic",
        "cohere": "cohere",
        "deepseek": "deepseek",
        "gemini": "google",
        "google": "google",
        "minimax": "minimax",
        "mistral": "mistral",
        "moonshotai": "moonshot",
        "openai": "openai",
        "perplexity": "perplexity",
        "xai": "xai",
        "zai": "zhipu",
        "zhipuai": "zhipu",
    }
)

# Services where a name without date stays what it was on its first day.
NAMES_STAND_STILL: Final = frozenset({"azure", "github-models"})

# Path parts that say by which way a model is reached, not whose it is.
ROUTES: Final = _words(
    "accounts fireworks models publishers projects locations @cf @hf azure bedrock converse"
    " gemini hf hf.co huggingface openrouter together together_ai vertex vertex_ai workers-ai"
    " groq fireworks_ai deepinfra foundation-model inference-profile ollama azure_ai cerebras"
    " sambanova nvidia_nim watsonx databricks replicate"
)
# Path parts that make another thing of the same name.
OTHER_ROUTES: Final = frozenset({"routers"})

REGIONS: Final = _words("af apac au ca cn eu global il in jp me sa uk us us-gov")

TIERS: Final = _words(
    "air flash flashx fable haiku heavy large lite max maverick medium micro mini nano opus plus"
    " premier pro scout small sonnet super tiny turbo ultra xl instant express light"
)

# What a model is for. Equal meanings share one word.
KINDS: Final = MappingProxyType(
    {
        word: kind
        for kind, words in {
            "audio": "audio speech",
            "chat": "chat",
            "code": "code coder codex coding",
            "embedding": "embed embedding embeddings",
            "guard": "guard safeguard guardian shieldgemma",
            "image": "image images",
            "live": "live",
            "math": "math",
            "moderation": "moderation",
            "ocr": "ocr",
            "omni": "omni",
            "realtime": "realtime",
            "reasoning": "reasoning reasoner thinking think",
            "rerank": "rerank reranker",
            "research": "research",
            "robotics": "robotics",
            "search": "search",
            "transcription": "transcribe transcription asr stt",
            "translation": "translate translation mt",
            "tts": "tts",
            "video": "video",
            "vision": "vision vl v",
        }.items()
        for word in words.split()
    }
)

TUNINGS: Final = MappingProxyType(
    {"instruct": "instruct", "it": "instruct", "base": "base", "pt": "base", "pretrained": "base"}
)

# Words that say how settled a release is.
PREVIEWS: Final = frozenset({"preview", "prerelease", "eap"})
EXPERIMENTS: Final = frozenset({"exp", "experimental", "alpha", "beta", "labs", "rc"})
ALIASES: Final = frozenset({"latest", "default", "stable"})

# Words that providers use instead of a later date; 1 would be the first revision.
LATER: Final = MappingProxyType({"terminus": 2})

# Ways to serve or to price the same weights.
SERVING: Final = _words(
    "free batch exacto extended floor nitro online contributor maas tput fast highspeed specdec"
    " high low cloud thinking gguf mlx awq gptq bnb quantized tee"
)
# Serving words that only say "hosted here", and only beside a size.
HOSTING: Final = frozenset({"versatile", "instant"})

# Words that add nothing: `image-generation`, `-hf` for the file format of Hugging Face, and
# `-completions` for the endpoint.
FILLERS: Final = _words("generation model hf completions")
