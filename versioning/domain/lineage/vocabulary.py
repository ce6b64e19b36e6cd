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

# Other families whose weights are open: an unknown owner is somebody, not a way.
OPEN_FAMILIES: Final = _words(
    "codegemma codestral devstral granite hunyuan jamba kimi magistral mathstral mimo ministral"
    " molmo nemotron olmo pixtral qvq qwq seed voxtral whisper ernie command o"
)

# Families that are closed, but for models that say their size.
MIXED_FAMILIES: Final = frozenset({"gpt"})

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

# Path parts that only hold the next one: they say neither whose a model is nor how it is reached.
CONTAINERS: Final = _words("models publishers foundation-model inference-profile")
# Path parts whose next part says through whose account, or where, a model is reached.
PLACES: Final = _words("accounts projects locations regions organizations teams workspaces")
# Kinds of resource that a customer names: what follows says nothing of the model behind it.
PRIVATE_RESOURCES: Final = _words(
    "application-inference-profile custom-model custom-model-deployment imported-model"
    " provisioned-model prompt-router"
)
# Services, gateways and shapes of answer that stand in a path and never made a model.
ROUTES: Final = _words(
    "@cf @hf azure azure_ai baseten bedrock cerebras chat cloudflare completions converse"
    " databricks deepinfra fireworks fireworks_ai gemini github_copilot groq hf hf.co"
    " huggingface hyperbolic invoke litellm_proxy messages nebius novita nvidia_nim ollama"
    " ollama_chat openrouter replicate responses routers sagemaker sambanova together together_ai"
    " vercel_ai_gateway vertex vertex_ai watsonx workers-ai"
)

REGIONS: Final = _words("af apac au ca cn emea eu global il in jp latam me sa uk us us-gov")

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

# Names that choose a model for each request.
ROUTERS: Final = frozenset({"auto", "autorouter", "router"})

# Words that providers use instead of a later date; 1 would be the first revision.
LATER: Final = MappingProxyType({"terminus": 2})

# Ways to serve or to price the same weights.
SERVING: Final = _words(
    "free batch exacto extended floor nitro online contributor maas tput fast highspeed specdec"
    " high low cloud thinking gguf mlx awq gptq bnb quantized tee"
)
# Serving words that only say "hosted here", and only beside a size.
HOSTING: Final = frozenset({"versatile", "instant"})

# The languages that a model is for. A later generation often covers them all and says none.
LANGUAGES: Final = _words(
    "arabic chinese cn de dutch en english es fr french german hindi italian ja japanese ko korean"
    " multi multilingual polish portuguese ru russian spanish turkish vietnamese zh"
)

# Kinds that a later generation may do besides, and the facts that tell that it does.
COVERED_KINDS: Final = MappingProxyType(
    {"vision": frozenset({"image", "vision"}), "reasoning": frozenset({"reasoning"})}
)

# Words of a path that name a price or a way to serve, not a maker: `batch/`, `Pro/`.
PRICES: Final = SERVING | TIERS | _words("basic dev flex premium priority standard")

# Words that add nothing: `image-generation`, `-hf` for the file format of Hugging Face, and
# `-completions` for the endpoint.
FILLERS: Final = _words("generation model hf completions")
