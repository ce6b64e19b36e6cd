"""What happens in the simulated world, day by day."""

from datetime import date
from decimal import Decimal

from sample_world.simulator.cast import cast, stamp
from sample_world.simulator.voices import VOICES
from sample_world.simulator.world import FIRST_DAY, Change, World


def new_world(start: date = FIRST_DAY) -> World:
    """Return the world of the demo; day 0 is ``start``, dated ids follow it."""
    theirs = {kind: voice.models for kind, voice in VOICES.items() if voice.models}
    return World({**cast(start), **theirs}, _changes(start), start=start)


def _changes(start: date) -> tuple[Change, ...]:
    next_small = f"mistral-small-{stamp(start, 29, '%y%m')}"
    cheaper = {"input_price": Decimal("0.27"), "output_price": Decimal("0.44")}
    return (
        Change(7, "gemini", "text-embedding-004", {"replacement": "gemini-embedding-001"}),
        Change(10, "bedrock", "anthropic.claude-v2:1", {"deprecated": 10, "retires": 190}),
        Change(12, "ollama", "llama3.1:8b", {"revision": "llama3.1:8b@2", "quality": {"*": 0.74}}),
        Change(
            12,
            "openai",
            "gpt-4o-2024-05-13",
            {"deprecated": 12, "retires": 100, "replacement": "gpt-4o-2024-11-20"},
        ),
        Change(15, "openrouter", "mistralai/mixtral-8x7b-instruct", {"retires": 75}),
        Change(16, "openai", "gpt-4o", {"serves": "gpt-4o-2024-11-20"}),
        Change(
            18,
            "huggingface",
            "Qwen/Qwen2.5-7B-Instruct",
            {"revision": "Qwen/Qwen2.5-7B-Instruct@2"},
        ),
        Change(
            20,
            "openai",
            "text-embedding-ada-002",
            {"deprecated": 20, "retires": 200, "replacement": "text-embedding-3-small"},
        ),
        Change(20, "openrouter", "deepseek/deepseek-chat", cheaper),
        Change(
            21,
            "anthropic",
            "claude-2.1",
            {"deprecated": 21, "retires": 201, "replacement": "claude-3-5-sonnet-20241022"},
        ),
        Change(
            21,
            "anthropic",
            "claude-2.0",
            {
                "deprecated": 21,
                "retires": 45,
                "listed_until": 45,
                "replacement": "claude-3-5-sonnet-20241022",
            },
        ),
        Change(34, "anthropic", "claude-3-5-haiku-20241022", {"quality": {"*": 0.5}}),
        Change(40, "mistral", "mistral-large-2407", {"listed_until": 40}),
        Change(40, "openrouter", "mistralai/mixtral-8x7b-instruct", {"is_hidden": True}),
        Change(
            22,
            "huggingface",
            "mistralai/Mistral-7B-Instruct-v0.2",
            {"replacement": "mistralai/Mistral-7B-Instruct-v0.3"},
        ),
        Change(
            25,
            "mistral",
            "open-mistral-7b",
            {"deprecated": 25, "retires": 115, "replacement": "ministral-8b-2410"},
        ),
        Change(
            29,
            "mistral",
            "mistral-small-2409",
            {"deprecated": 29, "retires": 150, "replacement": next_small, "aliases": ()},
        ),
        Change(29, "mistral", next_small, {"aliases": ("mistral-small-latest",)}),
    )
