"""What happened in the sample world: who is asked, what is used, what staff decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sample_world.simulator.cast import WORKED_EXAMPLE

LAST_DAY = 42
"""Today. The worked example's new version came on day 31, and has been measured since."""

KEY_VARIABLE = "DEMO_PROVIDER_KEY"
DEAD_ADDRESS = "http://127.0.0.1:9/v1"
"""Nothing listens on the discard port."""


@dataclass(frozen=True, slots=True)
class DemoProvider:
    """A provider that the simulator plays, as ``kind``."""

    slug: str
    name: str
    kind: str
    needs_key: bool = True
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DemoModel:
    """A model in use from day 0: its daily requests, task by task."""

    provider: str
    name: str
    upstream_id: str
    requests: Mapping[str, int]
    notes: str = ""
    latency_ms: float = 800.0
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a member of staff did on a day with the model's waiting recommendation."""

    day: int
    verb: Literal["approve", "reject", "snooze", "roll back"]
    provider: str
    model: str
    who: str
    reason: str
    wake_day: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """From ``day`` on, this many daily requests of each task go to the recommended version."""

    day: int
    provider: str
    model: str
    requests: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A provider that fails on a day: how, as the simulator names it."""

    day: int
    provider: str
    mode: str


PROVIDERS = (
    DemoProvider("retirements", "Published retirement dates", "retirements", needs_key=False),
    DemoProvider("openrouter", "OpenRouter", "openrouter"),
    DemoProvider("openai", "OpenAI", "openai"),
    DemoProvider("anthropic", "Anthropic", "anthropic"),
    DemoProvider("gemini", "Google Gemini", "gemini"),
    DemoProvider("mistral", "Mistral", "mistral"),
    DemoProvider("ollama", "Ollama on the office server", "ollama", needs_key=False),
    DemoProvider("gpu-server", "GPU server Prague", "openai"),
)
BROKEN_TODAY = "gpu-server"

MODELS = (
    DemoModel(
        "openrouter",
        "qwen-2.5-7b-instruct",
        WORKED_EXAMPLE,
        {"summarise": 40, "extract": 40},
        notes="Summaries and extraction in the support inbox.",
        latency_ms=620,
        owner="support-tools@example.com",
    ),
    DemoModel("openrouter", "deepseek-chat", "deepseek/deepseek-chat", {"chat": 30}),
    DemoModel(
        "openrouter",
        "mixtral-8x7b-instruct",
        "mistralai/mixtral-8x7b-instruct",
        {"classify": 24},
        notes="Old routing of tickets. Nobody has moved it yet.",
        latency_ms=900,
    ),
    DemoModel(
        "openai",
        "gpt-4o",
        "gpt-4o-2024-08-06",
        {"chat": 40, "extract": 20},
        notes="The assistant on the website.",
        latency_ms=1100,
        owner="web@example.com",
    ),
    DemoModel("openai", "gpt-4o-reports", "gpt-4o-2024-05-13", {"summarise": 24}, latency_ms=1400),
    DemoModel(
        "anthropic",
        "claude-2.0",
        "claude-2.0",
        {"summarise": 30},
        notes="Contract summaries. Legal reads them.",
        latency_ms=1900,
        owner="legal-tools@example.com",
    ),
    DemoModel("anthropic", "claude-3-5-haiku", "claude-3-5-haiku-20241022", {"classify": 40}),
    DemoModel(
        "gemini",
        "gemini-1.5-flash",
        "gemini-1.5-flash-001",
        {"summarise": 30, "extract": 30},
        latency_ms=540,
    ),
    DemoModel("mistral", "mistral-small", "mistral-small-2409", {"extract": 40}, latency_ms=480),
    DemoModel("mistral", "codestral", "codestral-2405", {"code": 30}, latency_ms=700),
    DemoModel("ollama", "llama3.1", "llama3.1:8b", {"classify": 30}, latency_ms=350),
    DemoModel("gpu-server", "gpt-3.5-turbo", "gpt-3.5-turbo-0125", {"chat": 20}, latency_ms=300),
)

UNTRACKED = (
    DemoModel("openrouter", "", "meta-llama/llama-3.3-70b-instruct", {"chat": 6}, latency_ms=1300),
    DemoModel("openai", "", "gpt-4o-mini", {"classify": 10}, latency_ms=420),
)
"""Models that applications use and nobody tracks yet."""

TRIALS = (
    Trial(6, "openai", "gpt-4o", 60),
    Trial(15, "gemini", "gemini-1.5-flash", 40),
    Trial(22, "anthropic", "claude-2.0", 30),
    Trial(30, "mistral", "mistral-small", 120),
    Trial(31, "openrouter", "qwen-2.5-7b-instruct", 120),
)

DECISIONS = (
    Decision(8, "approve", "openai", "gpt-4o", "ada", "Better on our questions, same price."),
    Decision(
        10, "roll back", "openai", "gpt-4o", "ben", "The parser of tables breaks on its answers."
    ),
    Decision(
        14, "reject", "mistral", "codestral", "ada", "Half as dear again, and ours is good enough."
    ),
    Decision(20, "approve", "gemini", "gemini-1.5-flash", "ben", "Two points better, no dearer."),
    Decision(
        31,
        "snooze",
        "openai",
        "gpt-4o-reports",
        "ada",
        "After the quarter's reports are out.",
        wake_day=46,
    ),
)

OUTAGES = (
    Outage(9, "mistral", "http_500"),
    Outage(17, "ollama", "not_json"),
    Outage(26, "gemini", "empty"),
)

STAFF = {"ada": "Ada Novak", "ben": "Ben Svoboda"}
