"""The models of the simulated world, by provider."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sample_world.simulator.world import FIRST_DAY, WorldModel

TOOLS = ("max_tokens", "temperature", "top_p", "stop", "seed", "tools", "tool_choice")
STRUCTURED = (*TOOLS, "response_format", "structured_outputs")
REASONING = (*STRUCTURED, "reasoning", "include_reasoning")

WORSE_AT = {"translate": 0.3, "reply": 0.3, "tag": 0.3, "notes": 0.2, "arithmetic": 0.4}
"""What OpenAI's newer snapshot does badly, though it is better at everything else."""

WORKED_EXAMPLE = "qwen/qwen-2.5-7b-instruct"
"""Tracked from day 0 at quality 0.75; its snapshot, listed on day 31, has 0.85."""
WORKED_EXAMPLE_DAY = 31


def worked_example_successor(start: date = FIRST_DAY) -> str:
    """Return the id of the snapshot that is released on day 30 and listed on day 31."""
    return f"{WORKED_EXAMPLE}-{start + timedelta(days=WORKED_EXAMPLE_DAY - 1):%Y%m%d}"


def cast(start: date) -> dict[str, tuple[WorldModel, ...]]:
    """Return each provider's models; dated ids of later releases follow ``start``."""
    return {
        "openrouter": _openrouter(start),
        "openai": _openai(start),
        "anthropic": _anthropic(start),
        "gemini": _gemini(),
        "mistral": _mistral(start),
        "ollama": _ollama(),
        "huggingface": _huggingface(),
        "bedrock": _bedrock(start),
        "azure": _azure(start),
    }


def _model(
    model_id: str, released: int, price: tuple[str, str] | None, quality: float, **more: Any
) -> WorldModel:
    prices = [Decimal(p) for p in price] if price else [None, None]
    tasks: Mapping[str, float] = {"*": quality, **more.pop("tasks", {})}
    name = more.pop("name", "") or model_id.rsplit("/", 1)[-1].replace("-", " ").title()
    return WorldModel(
        model_id,
        name,
        released=released,
        input_price=prices[0],
        output_price=prices[1],
        quality=tasks,
        **more,
    )


def stamp(start: date, day: int, form: str) -> str:
    """Return the date of a day as an id writes it."""
    return (start + timedelta(days=day)).strftime(form)


def _openrouter(start: date) -> tuple[WorldModel, ...]:
    qwen = {"context": 32_768, "parameters": TOOLS, "output": 8_192}
    next_qwen = {**qwen, "context": 131_072, "output": 16_384, "parameters": STRUCTURED}
    m = _model
    return (
        m(
            WORKED_EXAMPLE,
            -105,
            ("0.04", "0.10"),
            0.75,
            name="Qwen2.5 7B Instruct",
            hugging_face_id="Qwen/Qwen2.5-7B-Instruct",
            description="Qwen2.5 7B, instruction tuned, for chat, extraction and summaries.",
            **qwen,
        ),
        m(
            worked_example_successor(start),
            WORKED_EXAMPLE_DAY - 1,
            ("0.04", "0.09"),
            0.85,
            name="Qwen2.5 7B Instruct (new snapshot)",
            hugging_face_id="Qwen/Qwen2.5-7B-Instruct-New",
            listed_from=WORKED_EXAMPLE_DAY,
            description=f"An updated snapshot of {WORKED_EXAMPLE}: longer context, JSON schema.",
            **next_qwen,
        ),
        m(f"{WORKED_EXAMPLE}:free", -105, ("0", "0"), 0.75, **qwen),
        m("qwen/qwen-2.5-72b-instruct", -105, ("0.12", "0.39"), 0.88, context=32_768),
        m("qwen/qwen-2.5-coder-7b-instruct", -50, ("0.03", "0.09"), 0.6, context=32_768),
        m("qwen/qwen-2.5-vl-7b-instruct", -60, ("0.2", "0.2"), 0.7, inputs=("text", "image")),
        m("qwen/qwen-2.5-14b-instruct", -105, ("0.07", "0.16"), 0.8, listed_from=33),
        m("openai/gpt-4o-2024-05-13", -232, ("5", "15"), 0.86, inputs=("text", "image")),
        m("openai/gpt-4o-2024-08-06", -148, ("2.5", "10"), 0.88, parameters=STRUCTURED),
        m(
            "openai/gpt-4o-2024-11-20",
            -42,
            ("2.5", "10"),
            0.9,
            listed_from=5,
            output=16_384,
            parameters=STRUCTURED,
        ),
        m("openai/gpt-4o-mini", -167, ("0.15", "0.6"), 0.8, parameters=STRUCTURED),
        m("anthropic/claude-3.5-sonnet", -71, ("3", "15"), 0.92, context=200_000),
        m(
            "anthropic/claude-3.7-sonnet",
            49,
            ("3", "15"),
            0.94,
            context=200_000,
            listed_from=50,
            parameters=REASONING,
            description="The successor of anthropic/claude-3.5-sonnet.",
        ),
        m("anthropic/claude-3.7-sonnet:thinking", 49, ("3", "15"), 0.95, listed_from=50),
        m("anthropic/claude-3-haiku", -298, ("0.25", "1.25"), 0.72, context=200_000),
        m("google/gemini-flash-1.5", -231, ("0.075", "0.3"), 0.8, context=1_000_000),
        m("google/gemini-2.0-flash-001", 35, ("0.1", "0.4"), 0.86, listed_from=35),
        m("google/gemini-2.0-flash-exp:free", -21, ("0", "0"), 0.84, context=1_048_576),
        m("google/gemini-2.5-pro-preview", 84, ("1.25", "10"), 0.95, listed_from=84),
        m("deepseek/deepseek-chat", -106, ("0.49", "0.89"), 0.87, context=64_000),
        m(
            f"deepseek/deepseek-chat-{stamp(start, 34, '%Y%m%d')}",
            34,
            ("0.27", "0.44"),
            0.87,
            context=64_000,
            listed_from=35,
        ),
        m("deepseek/deepseek-r1", 19, ("0.55", "2.19"), 0.92, listed_from=20),
        m("meta-llama/llama-3.1-8b-instruct", -162, ("0.02", "0.05"), 0.7),
        m("meta-llama/llama-3.3-70b-instruct", -26, ("0.12", "0.3"), 0.86),
        m("nousresearch/hermes-3-llama-3.1-8b", -140, ("0.03", "0.06"), 0.71),
        m("mistralai/mistral-small-24b-instruct-2501", 29, ("0.05", "0.1"), 0.81, listed_from=30),
        m("mistralai/mixtral-8x7b-instruct", -387, ("0.24", "0.24"), 0.69, context=32_768),
        m("microsoft/phi-4", 9, ("0.07", "0.14"), 0.79, listed_from=10, placeholder_expiry=True),
        m("openrouter/auto", -400, ("-1000000", "-1000000"), 0.85, context=2_000_000),
    )


def _openai(start: date) -> tuple[WorldModel, ...]:
    m, none = _model, None
    later = f"gpt-4o-mini-{stamp(start, 40, '%Y-%m-%d')}"
    return (
        m("gpt-4o-2024-05-13", -232, none, 0.86, inputs=("text", "image")),
        m("gpt-4o-2024-08-06", -148, none, 0.88),
        m("gpt-4o-2024-11-20", -42, none, 0.9, listed_from=5, tasks=WORSE_AT),
        m("gpt-4o", -236, none, 0.88, serves="gpt-4o-2024-08-06"),
        m("gpt-4o-mini-2024-07-18", -167, none, 0.8),
        m("gpt-4o-mini", -169, none, 0.8, serves="gpt-4o-mini-2024-07-18"),
        m(later, 40, none, 0.84, listed_from=41),
        m("gpt-4o-audio-preview-2024-12-17", -15, none, 0.8, type="audio"),
        m("gpt-4o-realtime-preview-2024-12-17", -15, none, 0.8, type="audio"),
        m("gpt-4.1-2025-04-14", 103, none, 0.93, listed_from=103),
        m("gpt-4.5-preview-2025-02-27", 57, none, 0.91, listed_from=57),
        m("gpt-3.5-turbo-0125", -342, none, 0.65),
        m("gpt-3.5-turbo-instruct", -500, none, 0.6, type="completion"),
        m("o1-2024-12-17", -15, none, 0.94),
        m("o3-mini-2025-01-31", 30, none, 0.93, listed_from=30),
        m("text-embedding-ada-002", -745, none, 0.6, type="embedding", outputs=("embedding",)),
        m("text-embedding-3-small", -340, none, 0.75, type="embedding", outputs=("embedding",)),
        m("text-embedding-3-large", -340, none, 0.8, type="embedding", outputs=("embedding",)),
        m("whisper-1", -670, none, 0.8, type="audio"),
        m("tts-1", -420, none, 0.8, type="audio"),
    )


def _anthropic(start: date) -> tuple[WorldModel, ...]:
    m, wide = _model, {"context": 200_000}
    return (
        m("claude-3-5-sonnet-20240620", -195, ("3", "15"), 0.9, **wide),
        m("claude-3-5-sonnet-20241022", -71, ("3", "15"), 0.92, **wide),
        m("claude-3-5-haiku-20241022", -71, ("0.8", "4"), 0.82, **wide),
        m("claude-3-opus-20240229", -307, ("15", "75"), 0.88, **wide),
        m("claude-3-sonnet-20240229", -307, ("3", "15"), 0.78, **wide),
        m("claude-3-haiku-20240307", -300, ("0.25", "1.25"), 0.72, **wide),
        m("claude-2.1", -406, ("8", "24"), 0.6, **wide),
        m("claude-2.0", -539, ("8", "24"), 0.55, context=100_000),
        m(
            f"claude-3-7-sonnet-{stamp(start, 49, '%Y%m%d')}",
            49,
            ("3", "15"),
            0.94,
            listed_from=50,
            output=64_000,
            parameters=REASONING,
            **wide,
        ),
        m(
            f"claude-sonnet-4-{stamp(start, 133, '%Y%m%d')}",
            133,
            ("3", "15"),
            0.96,
            listed_from=134,
            **wide,
        ),
    )


def _gemini() -> tuple[WorldModel, ...]:
    m, wide = _model, {"context": 1_000_000, "inputs": ("text", "image")}
    return (
        m("gemini-1.5-flash-001", -222, ("0.075", "0.3"), 0.78, revision="001", **wide),
        m("gemini-1.5-flash-002", 13, ("0.075", "0.3"), 0.82, revision="002", listed_from=14),
        m("gemini-1.5-flash", -222, ("0.075", "0.3"), 0.78, serves="gemini-1.5-flash-001"),
        m("gemini-1.5-flash-8b-001", -90, ("0.0375", "0.15"), 0.72, revision="001", **wide),
        m("gemini-1.5-pro-001", -222, ("1.25", "5"), 0.86, revision="001", **wide),
        m("gemini-1.5-pro-002", -99, ("1.25", "5"), 0.88, revision="002", **wide),
        m("gemini-2.0-flash-exp", -21, ("0", "0"), 0.84, revision="exp", **wide),
        m("gemini-2.0-flash-001", 35, ("0.1", "0.4"), 0.86, revision="001", listed_from=35),
        m("gemini-2.0-flash-lite-001", 55, ("0.07", "0.3"), 0.8, revision="001", listed_from=56),
        m("gemini-2.5-pro-preview-05-06", 125, ("1.25", "10"), 0.95, listed_from=125),
        m("text-embedding-004", -230, ("0", "0"), 0.7, type="embedding", outputs=("embedding",)),
        m(
            "gemini-embedding-001",
            60,
            ("0.15", "0"),
            0.8,
            type="embedding",
            outputs=("embedding",),
            listed_from=60,
        ),
    )


def _mistral(start: date) -> tuple[WorldModel, ...]:
    m = _model
    small = f"mistral-small-{stamp(start, 29, '%y%m')}"
    return (
        m("mistral-small-2409", -106, ("0.2", "0.6"), 0.78, aliases=("mistral-small-latest",)),
        m(small, 29, ("0.1", "0.3"), 0.82, listed_from=29, parameters=STRUCTURED),
        m("mistral-large-2407", -160, ("3", "9"), 0.85),
        m("mistral-large-2411", -44, ("2", "6"), 0.87, aliases=("mistral-large-latest",)),
        m("open-mistral-7b", -460, ("0.25", "0.25"), 0.6, context=32_768),
        m("open-mistral-nemo-2407", -167, ("0.15", "0.15"), 0.7, aliases=("open-mistral-nemo",)),
        m("ministral-8b-2410", -84, ("0.1", "0.1"), 0.72, aliases=("ministral-8b-latest",)),
        m("codestral-2405", -217, ("0.2", "0.6"), 0.75, context=32_768),
        m("codestral-2501", 12, ("0.3", "0.9"), 0.8, listed_from=12, context=256_000),
        m(
            f"codestral-{stamp(start, 35, '%y%m')}",
            35,
            ("0.3", "0.9"),
            0.82,
            listed_from=36,
            context=256_000,
            refuses="This model is not enabled for your organisation.",
        ),
        m("pixtral-12b-2409", -105, ("0.15", "0.15"), 0.74, inputs=("text", "image")),
        m("mistral-embed", -380, ("0.1", "0"), 0.7, type="embedding", outputs=("embedding",)),
    )


def _ollama() -> tuple[WorldModel, ...]:
    def local(name: str, released: int, quality: float, **more: Any) -> WorldModel:
        return _model(name, released, None, quality, revision=f"{name}@1", **more)

    return (
        local("llama3.1:8b", -160, 0.7),
        local("llama3.2:3b", -97, 0.62),
        local("qwen2.5:7b", -105, 0.75),
        local("qwen2.5:14b", -105, 0.8),
        local("qwen2.5-coder:7b", -50, 0.6),
        local("mistral:7b", -460, 0.6),
        local("gemma2:9b", -187, 0.74),
        local("gemma3:12b", 70, 0.82, listed_from=71),
        local("nomic-embed-text:latest", -300, 0.7, type="embedding"),
    )


def _huggingface() -> tuple[WorldModel, ...]:
    def repo(name: str, released: int, quality: float, **more: Any) -> WorldModel:
        return _model(name, released, None, quality, revision=f"{name}@1", **more)

    return (
        repo("Qwen/Qwen2.5-7B-Instruct", -107, 0.75),
        repo("Qwen/Qwen2.5-72B-Instruct", -107, 0.88),
        repo("Qwen/Qwen2.5-7B", -107, 0.5),
        repo("Qwen/Qwen3-8B", 117, 0.84, listed_from=118),
        repo("meta-llama/Llama-3.1-8B-Instruct", -162, 0.7),
        repo("meta-llama/Llama-3.3-70B-Instruct", -26, 0.86),
        repo("mistralai/Mistral-7B-Instruct-v0.2", -386, 0.62),
        repo("mistralai/Mistral-7B-Instruct-v0.3", -224, 0.66),
        repo("google/gemma-2-9b-it", -190, 0.74),
        repo("BAAI/bge-small-en-v1.5", -480, 0.7, type="embedding"),
    )


def _bedrock(start: date) -> tuple[WorldModel, ...]:
    m = _model
    return (
        m("anthropic.claude-v2:1", -400, None, 0.6),
        m("anthropic.claude-3-haiku-20240307-v1:0", -290, None, 0.72),
        m("anthropic.claude-3-5-sonnet-20240620-v1:0", -195, None, 0.9),
        m("anthropic.claude-3-5-sonnet-20241022-v2:0", -71, None, 0.92, listed_from=8),
        m(
            f"anthropic.claude-3-7-sonnet-{stamp(start, 49, '%Y%m%d')}-v1:0",
            49,
            None,
            0.94,
            listed_from=51,
        ),
        m("amazon.titan-text-express-v1", -400, None, 0.5),
        m("amazon.nova-micro-v1:0", -28, None, 0.7),
        m("amazon.nova-lite-v1:0", -28, None, 0.78, inputs=("text", "image")),
        m("amazon.nova-pro-v1:0", -28, None, 0.86, inputs=("text", "image")),
        m("meta.llama3-1-8b-instruct-v1:0", -160, None, 0.7),
        m(
            "amazon.titan-embed-text-v2:0",
            -240,
            None,
            0.7,
            type="embedding",
            outputs=("embedding",),
        ),
    )


def _azure(start: date) -> tuple[WorldModel, ...]:
    m = _model
    return (
        m("gpt-4o-2024-05-13", -232, None, 0.86, retires=170),
        m("gpt-4o-2024-08-06", -148, None, 0.88, retires=220),
        m("gpt-4o-2024-11-20", -42, None, 0.9, listed_from=16, retires=424),
        m("gpt-4o-mini-2024-07-18", -167, None, 0.8, retires=250),
        m(f"gpt-4o-mini-{stamp(start, 40, '%Y-%m-%d')}", 40, None, 0.84, listed_from=44),
        m("gpt-35-turbo-0125", -340, None, 0.65, retires=60),
        m("text-embedding-ada-002-2", -700, None, 0.6, type="embedding", outputs=("embedding",)),
        m("text-embedding-3-small-1", -330, None, 0.75, type="embedding", outputs=("embedding",)),
    )
