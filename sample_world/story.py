"""What happened in the sample world: who is asked, what is used, what staff decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from sample_world.simulator.cast import WORKED_EXAMPLE

LAST_DAY = 42
"""Today. The worked example's new version came on day 31, and has been measured since."""

EVERY_NIGHT_FROM = 35
"""Each provider is checked every night of the last week."""

NEWS_IS_ASKED_FOR = 3
"""Before, a provider is checked on so many nights from each change of its list on."""

WHOLE_DAYS_FROM = LAST_DAY - 1
"""From here on requests come from eight to six; before, all of a day within one hour."""

USER, PASSWORD = "demo", "demo"  # noqa: S105  (the demo listens on this machine only)
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
    """A model in use from a day on: its daily requests, task by task."""

    provider: str
    name: str
    upstream_id: str
    requests: Mapping[str, int]
    notes: str = ""
    latency_ms: float = 800.0
    owner: str = ""
    since: int = 0
    served_id: str = ""
    """Another id than asked for, that answers from ``SERVED_OTHERWISE`` on."""
    split: float | None = None
    """The share that a canary really gets, where the application doesn't do as it is told."""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoPolicy:
    """What staff set on a day, for a provider or for one of its models."""

    day: int
    provider: str
    model: str
    values: Mapping[str, Any]


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
    wake: Mapping[str, Any] | None = None


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
    DemoProvider(
        "openai", "OpenAI", "openai", options={"input_price": "2.5", "output_price": "10"}
    ),
    DemoProvider("anthropic", "Anthropic", "anthropic"),
    DemoProvider("gemini", "Google Gemini", "gemini"),
    DemoProvider("mistral", "Mistral", "mistral"),
    DemoProvider("ollama", "Ollama on the office server", "ollama", needs_key=False),
    DemoProvider("gpu-server", "GPU server Prague", "openai"),
)
BROKEN_TODAY = "gpu-server"

BUSY_DAY = 33
PAIR = "gpt-4o-2024-08-06"
SEARCH, TRIAGE, TRANSLATE = "gpt-4o-search", "gpt-4o-triage", "gpt-4o-translate"
REPLIES, TAGS, FORMS = "gpt-4o-replies", "gpt-4o-tags", "gpt-4o-forms"
LEGAL, NOTES, LARGE = "gpt-4o-legal", "gpt-4o-notes", "mistral-large"

MODELS = (
    DemoModel(
        "openrouter",
        "qwen-2.5-7b-instruct",
        WORKED_EXAMPLE,
        {"summarise": 40, "extract": 40},
        notes="Summaries and extraction in the support inbox.",
        latency_ms=620,
        owner="support-tools@example.com",
        languages=("en", "de"),
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
    DemoModel(
        "gpu-server",
        "gpt-3.5-turbo",
        "gpt-3.5-turbo-0125",
        {"chat": 20},
        latency_ms=300,
        served_id="gpt-3.5-turbo-1106",
    ),
    # One upgrade of each end, all of the same pair: how good it is depends on the task.
    DemoModel("openai", SEARCH, PAIR, {"rerank": 80}, since=BUSY_DAY),
    DemoModel("openai", TRIAGE, PAIR, {"triage": 80}, since=BUSY_DAY, split=0.6),
    DemoModel("openai", TRANSLATE, PAIR, {"translate": 80}, since=BUSY_DAY),
    DemoModel("openai", REPLIES, PAIR, {"reply": 40}, since=BUSY_DAY),
    DemoModel("openai", TAGS, PAIR, {"tag": 40}, since=BUSY_DAY),
    DemoModel("openai", FORMS, PAIR, {"form": 20}, since=BUSY_DAY),
    DemoModel("openai", LEGAL, PAIR, {"clause": 20}, since=BUSY_DAY),
    DemoModel("openai", NOTES, PAIR, {"notes": 40}, since=BUSY_DAY),
    DemoModel("mistral", LARGE, "mistral-large-2407", {"draft": 20}, since=BUSY_DAY),
)
SERVED_OTHERWISE = 40
TAKEN_OFF_DAY = 40
"""On its morning, between check and canary, Mistral takes a version in use off its list."""

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
    Trial(36, "openai", NOTES, 80),
)

POLICIES = (
    DemoPolicy(
        0,
        "openrouter",
        "",
        {
            "windows": [{"days": ["mon", "tue", "wed", "thu"], "from": "09:00", "to": "15:00"}],
            "time_zone": "Europe/Prague",
            "max_per_day": 2,
        },
    ),
    DemoPolicy(
        31,
        "openrouter",
        "qwen-2.5-7b-instruct",
        {"minimum_improvement": Decimal("0.05"), "unsure_limits_pass": True},
    ),
    DemoPolicy(
        29,
        "mistral",
        "mistral-small",
        {"automation": "after_gates", "minimum_age_days": 30, "minimum_improvement": Decimal(0)},
    ),
    DemoPolicy(
        BUSY_DAY,
        "openai",
        SEARCH,
        {
            "canary_steps": [
                {"weight": 50, "samples": 60},
                {"weight": 80, "hours": 240, "approval": True},
            ],
            "canary_asks": "no_harm",
            "unsure_limits_pass": True,
        },
    ),
    DemoPolicy(BUSY_DAY, "openai", TRIAGE, {"canary_steps": [{"weight": 20, "hours": 48}]}),
    DemoPolicy(BUSY_DAY, "openai", TRANSLATE, {"canary_steps": [{"weight": 50, "hours": 48}]}),
    DemoPolicy(BUSY_DAY, "openai", REPLIES, {"rollback_by_itself": True, "watch_days": 14}),
    DemoPolicy(BUSY_DAY, "openai", TAGS, {"watch_days": 14}),
    DemoPolicy(BUSY_DAY, "openai", FORMS, {"required_suites": ["forms"]}),
    DemoPolicy(BUSY_DAY, "openai", LEGAL, {"approvals_needed": 2}),
    DemoPolicy(BUSY_DAY, "openai", NOTES, {"approvals_needed": 2}),
    DemoPolicy(BUSY_DAY, "mistral", LARGE, {"canary_steps": [{"weight": 10, "hours": 24}]}),
)

PINS = {("ollama", "llama3.1"): "The office benchmark compares with it until spring."}


@dataclass(frozen=True, slots=True)
class DemoSuite:
    """Test cases: what is asked, with the answer that is right."""

    name: str
    scorer: str
    cases: Mapping[str, str]
    requests_per_minute: int | None = None


SUITES = (
    DemoSuite(
        "forms",
        "number",
        {f"What is {n} + {n * 7 % 50}?": str(n + n * 7 % 50) for n in range(11, 41)},
    ),
    DemoSuite(
        "support answers",
        "exact",
        {
            f"Which address is in this mail? From: reader{n}@example.com": f"reader{n}@example.com"
            for n in range(40)
        },
    ),
    DemoSuite(
        "slow server",
        "exact",
        {f"Which address is this? slow{n}@example.com": f"slow{n}@example.com" for n in range(60)},
        requests_per_minute=12,
    ),
)
TESTED_DAY = 41
"""The day on which the second suite is run on the worked example."""

FREEZE = ("End of the year", 20, 34)
"""Its name, and from and until how many days after today."""

FAULT = (
    "beat process",
    "beat was killed (signal 9, Killed; if nobody did that, memory was short), and is started "
    "again after 1 s.",
)

DECISIONS = (
    Decision(8, "approve", "openai", "gpt-4o", "ada", "Better on our questions, same price."),
    Decision(
        10, "roll back", "openai", "gpt-4o", "ben", "The parser of tables breaks on its answers."
    ),
    Decision(
        14,
        "reject",
        "mistral",
        "codestral",
        "ada",
        "Half as dear again, and ours is good enough.",
        wake={"kind": "price", "price_falls_by": Decimal("0.3")},
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
    *(
        Decision(35, "approve", "openai", model, "ada", "Try it, with care.")
        for model in (SEARCH, TRIAGE, TRANSLATE, REPLIES, TAGS, FORMS, LEGAL, NOTES)
    ),
    Decision(TAKEN_OFF_DAY, "approve", "mistral", LARGE, "ben", "Better, and cheaper."),
)

OUTAGES = (
    Outage(9, "mistral", "http_500"),
    Outage(17, "ollama", "not_json"),
    Outage(26, "gemini", "empty"),
)

STAFF = {"ada": "Ada Novak", "ben": "Ben Svoboda"}
