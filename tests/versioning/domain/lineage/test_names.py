"""Names as makers and services write them, a few for each rule of the grammar.

A line of a table is: service; model in use; its successor, or -; what else is listed. Facts of
listed models follow their id in brackets: a release date, `gone` for deprecated, `open`. An
indented line goes on with the row before it.
"""

import re
from datetime import date

import pytest

from versioning.domain.lineage import Known, StepKind, find_successor, same_model

LISTED = re.compile(r"([^\s\[]+)(?:\[([^\]]*)\])?")


def read_listed(text: str) -> list[Known]:
    found = []
    for id, facts in LISTED.findall(text):
        told = facts.split()
        dates = [date.fromisoformat(fact) for fact in told if fact[0].isdigit()]
        found.append(
            Known(
                id=id,
                released=dates[0] if dates else None,
                status="deprecated" if "gone" in told else "",
                capabilities=("open_weights",) if "open" in told else (),
            )
        )
    return found


def rows(text: str) -> list[tuple[str, ...]]:
    one_row_a_line = text.strip().replace("\n    ", " ")
    return [tuple(map(str.strip, row.split(";"))) for row in one_row_a_line.split("\n") if row]


SNAPSHOTS = """
openai; gpt-4o-2024-05-13; gpt-4o-2024-11-20; gpt-4o gpt-4o-mini-2024-12-01
openai; gpt-4-0314; gpt-4-0613; gpt-4-32k-0613
openai; gpt-3.5-turbo-1106; gpt-3.5-turbo-0125; gpt-3.5-turbo-0301 gpt-3.5-turbo-0613
anthropic; claude-3-5-sonnet-20240620; claude-3-5-sonnet-20241022; claude-3-5-haiku-20241022
mistral; mistral-medium-2505; mistral-medium-2508; mistral-small-2512 mistral-medium-latest
cohere; command-r-plus-04-2024; command-r-plus-08-2024; command-r-08-2025 command-r7b-12-2024
alibaba; qwen-plus-2025-07-28; qwen-plus-2025-12-01; qwen-max-2026-01-23 qwen-plus-latest
gemini; gemini-1.5-pro-001; gemini-1.5-pro-002; gemini-1.5-pro-latest
vertex; text-bison@001; text-bison@002; chat-bison@002 text-bison-32k@002
moonshotai; kimi-k2-0711-preview; kimi-k2-0905-preview; kimi-k2-turbo-preview
bedrock; mistral.mistral-large-2402-v1:0; mistral.mistral-large-2407-v1:0;
    mistral.mistral-small-2409-v1:0
ai21; jamba-large-1.6-2025-03; jamba-large-1.7-2025-07; jamba-mini-1.8-2025-09
openrouter; deepseek/deepseek-chat-v3.1; deepseek/deepseek-v3.1-terminus; deepseek/deepseek-r1-0528
acme; orbit-70b-chat-2601; orbit-70b-chat-2607; orbit-8b-chat-2609 orbit-70b-base-2609
acme; lumen-text-2026-01-10; lumen-text-2026-06-01; lumen-code-2026-09-01 lumen-text-latest
"""

GENERATIONS = """
openai; gpt-5.1-2025-11-13; gpt-5.2-2025-12-11; gpt-5.2-pro-2025-12-11 gpt-5.2-mini
openai; gpt-4o-2024-05-13; gpt-4.1-2025-04-14; gpt-4.1-mini-2025-04-14
openai; gpt-4-turbo-2024-04-09; gpt-4o-2024-11-20; gpt-4o-mini
openai; o1-mini; o4-mini; o3 o3-mini o4-mini-deep-research
openai; gpt-5-codex; gpt-5.3-codex; gpt-5.1-codex-max gpt-5.4-codex-mini gpt-5.4
anthropic; claude-3-haiku-20240307; claude-haiku-4-5-20251001; claude-sonnet-4-5-20250929
anthropic; claude-opus-4-1-20250805; claude-opus-5; claude-opus-4-6 claude-sonnet-5
gemini; gemini-1.5-flash-002; gemini-2.0-flash-001;
    gemini-1.5-flash-8b-001 gemini-2.0-flash-lite-001
gemini; imagen-3.0-generate-002; imagen-4.0-generate-001; imagen-4.0-ultra-generate-001
mistral; mistral-medium-2505[gone]; mistral-medium-3-5; mistral-small-4
xai; grok-4-1-fast-reasoning; grok-4-2-fast-reasoning; grok-4-2-fast-non-reasoning grok-5
xai; grok-4.20-reasoning; grok-4.3-reasoning; grok-4.3-non-reasoning
zai; glm-4.5-air; glm-4.7-air; glm-4.7 glm-5 glm-4.7-flash
zai; glm-4.5v; glm-4.6v; glm-4.6 glm-4.6v-flash
minimax; MiniMax-M2; MiniMax-M2.5; MiniMax-M2.5-highspeed MiniMax-Text-01
fireworks; accounts/fireworks/models/glm-4p5-air; accounts/fireworks/models/glm-4p7-air;
    accounts/fireworks/models/glm-4p7
together; meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo; meta-llama/Llama-3.3-70B-Instruct-Turbo;
    meta-llama/Llama-3.3-70B-Instruct-Turbo-Free
groq; llama3-70b-8192; llama-3.3-70b-versatile; llama-3.1-8b-instant llama-3.3-70b-specdec
bedrock; meta.llama3-1-70b-instruct-v1:0; meta.llama3-3-70b-instruct-v1:0;
    meta.llama3-2-90b-instruct-v1:0
bedrock; amazon.nova-pro-v1:0; amazon.nova-2-pro-v1:0;
    amazon.nova-premier-v1:0 amazon.nova-2-lite-v1:0
bedrock; ai21.jamba-1-5-mini-v1:0; ai21.jamba-2-mini-v1:0; ai21.jamba-2-large-v1:0
azure; Phi-3-mini-4k-instruct; Phi-3.5-mini-instruct;
    Phi-3.5-vision-instruct Phi-4-multimodal-instruct
ibm; ibm/granite-3-2-8b-instruct; ibm/granite-3-3-8b-instruct;
    ibm/granite-guardian-3-8b ibm/granite-3-3-2b-instruct
nvidia; nvidia/llama-3.3-nemotron-super-49b-v1; nvidia/llama-3.3-nemotron-super-49b-v1.5;
    nvidia/llama-3.1-nemotron-ultra-253b-v1
voyage; voyage-code-2; voyage-code-3; voyage-3.5 voyage-law-2
cohere; rerank-v3.5; rerank-v4.0; rerank-v4.0-fast rerank-english-v3.0
elevenlabs; eleven_turbo_v2; eleven_turbo_v2_5; eleven_flash_v2_5 eleven_v3
stability; stable-diffusion-3-large; stable-diffusion-3.5-large; stable-diffusion-3.5-large-turbo
bedrock; stability.stable-image-core-v1:0; stability.stable-image-core-v1:1;
    stability.stable-image-ultra-v1:1
ollama; llama3.1:70b-instruct-q4_K_M; llama3.3:70b-instruct-q4_K_M;
    llama3.3:70b-instruct-q8_0 llama3.3:70b
ollama; qwen2.5:14b; qwen3:14b; qwen3:8b qwen2.5-coder:14b
huggingface; bartowski/Meta-Llama-3.1-70B-Instruct-GGUF; bartowski/Llama-3.3-70B-Instruct-GGUF;
    meta-llama/Llama-3.3-70B-Instruct
acme; orbit-9.1-2024-01-15; orbit-10-2026-09-02; orbit-10-2026-09
acme; zephyra-3-swift; zephyra-4-swift; zephyra-4-grand zephyra-4-swift-preview
acme; acme.orbit-v2-1:0; acme.orbit-v3-0:0; eu.acme.orbit-v3-0:0
"""

SILENCE = """
openai; gpt-image-1-mini; -; gpt-image-1.5 gpt-image-1
openai; o3; -; o4-mini o3-pro o3-deep-research
openai; gpt-4o-realtime-preview-2025-06-03; -; gpt-realtime gpt-realtime-1.5
openai; text-embedding-ada-002; -; text-embedding-3-small text-embedding-3-large
openai; ft:gpt-4o-mini-2024-07-18:acme::abc; -;
    gpt-4.1-mini-2025-04-14 ft:gpt-4.1-mini-2025-04-14:other::xyz
anthropic; claude-3-7-sonnet-20250219; -; claude-3-7-sonnet-latest claude-opus-4-20250514
anthropic; claude-instant-1.2; -; claude-3-haiku-20240307 claude-2.1
gemini; gemini-2.5-pro; -; gemini-3-pro-preview gemini-3-flash gemini-3-pro-image
gemini; text-embedding-004; -; gemini-embedding-001 text-multilingual-embedding-002
mistral; mistral-embed; -; codestral-embed mistral-embed-2312
cohere; command-r-plus-08-2024; -; command-a-03-2025 command-r-12-2024
cohere; embed-english-v3.0; -; embed-v4.0 embed-multilingual-v4.0 embed-english-light-v4.0
xai; grok-2-vision-1212; -; grok-4 grok-2-image-1212
azure; Llama-2-7b-chat; -; Meta-Llama-3-8B-Instruct Llama-2-13b-chat
huggingface; mistralai/Mistral-7B-Instruct-v0.2; -; mistralai/Mistral-7B-v0.3
huggingface; meta-llama/Llama-3.1-70B; -; meta-llama/Llama-3.3-70B-Instruct
huggingface; mistralai/Mixtral-8x7B-Instruct-v0.1; -; mistralai/Mixtral-8x22B-Instruct-v0.3
huggingface; Qwen/Qwen2.5-7B-Instruct; -;
    acme/Qwen3-7B-Instruct Qwen/Qwen3-8B Qwen/Qwen3-7B-Instruct-AWQ
huggingface; BAAI/bge-large-en-v1.5; -; BAAI/bge-large-zh-v2 BAAI/bge-base-en-v2 BAAI/bge-m3
bedrock; us.anthropic.claude-3-haiku-20240307-v1:0; -;
    eu.anthropic.claude-3-5-haiku-20241022-v1:0 anthropic.claude-3-5-haiku-20241022-v1:0
openrouter; google/gemma-2-9b-it:free; -; google/gemma-3-9b-it google/gemma-3-12b-it:free
openrouter; anthropic/claude-3.7-sonnet:thinking; -; anthropic/claude-sonnet-4
openrouter; nousresearch/hermes-3-llama-3.1-70b; -;
    meta-llama/llama-3.3-70b-instruct nousresearch/hermes-4-405b
fireworks; accounts/fireworks/models/glm-4p5; -; accounts/fireworks/routers/glm-4p7
groq; whisper-large-v3; -; whisper-large-v3-turbo distil-whisper-large-v3-en
moonshotai; kimi-k2.5; -; kimi-k2.7-code kimi-k2-thinking kimi-k2.6-turbo
acme; zephyra-mini; -; zephyra-2-mini-7b zephyra-2-mini-12b
acme; zephyra-2-latest; -; zephyra-2-2026-05-01
acme; zephyra-4; -; zephyra-5[gone]
acme; zephyra-4[2026-05-01]; -; zephyra-5[2025-05-01]
acme; zephyra-4-2026-05-01; -; zephyra-4
"""

FACTS = """
openai; codex-mini-latest[gone]; gpt-5.1-codex-mini; gpt-5.1-codex gpt-5.1-mini
openai; chatgpt-4o-latest[gone]; gpt-5-chat-latest; gpt-5 gpt-5-mini
openai; gpt-4-1106-preview; gpt-4-turbo-2024-04-09; gpt-4o-mini
openai; ft-gpt-4.1-nano; gpt-5-nano; gpt-5-mini
azure; Phi-3-medium-4k-instruct; Phi-4; Phi-4-mini-instruct
openrouter; deepseek/deepseek-chat; deepseek/deepseek-v3.1; deepseek/deepseek-r1
huggingface; Qwen/Qwen2.5-14B-Instruct; Qwen/Qwen3-14B; Qwen/Qwen3-14B-Base
gemini; gemini-flash-latest; -; gemini-3-flash gemini-2.5-flash
"""

EVIDENCE = """
openrouter; qwen/qwen3-30b-a3b[2025-04-28 open]; qwen/qwen3-30b-a3b-2507[2025-07-29 open];
    qwen/qwen3-30b-a3b-thinking-2507[2025-08-28 open]
openai; gpt-4-turbo-preview[gone]; gpt-4-turbo; gpt-4-vision-preview
mistral; mistral-large-2402[gone]; mistral-large-latest; mistral-small-latest
mistral; devstral-medium-2507[gone]; devstral-2512; devstral-small-2507
"""


@pytest.mark.parametrize(
    ("service", "in_use", "expected", "listed"),
    rows(SNAPSHOTS + GENERATIONS + SILENCE + FACTS + EVIDENCE),
)
def test_the_upgrade_of_a_name(service: str, in_use: str, expected: str, listed: str) -> None:
    known = read_listed(f"{in_use} {expected} {listed}")

    answer = find_successor(Known(id=known[0].id), listed=known, provider=service)

    assert answer.step is not StepKind.REPLACEMENT
    assert (answer.successor.id if answer.successor else "-") == LISTED.findall(expected)[0][0]
    assert answer.reasons


@pytest.mark.parametrize(
    ("in_use", "stable", "preview"),
    [
        ("gemini-2.5-pro", "gemini-2.5-pro", "gemini-3-pro-preview"),
        ("claude-opus-4-6", "claude-opus-4-6", "claude-opus-5-preview"),
        ("zephyra-2", "zephyra-2", "labs-zephyra-3"),
    ],
)
def test_a_preview_in_use_goes_on_to_previews(in_use: str, stable: str, preview: str) -> None:
    listed = [Known(id=stable), Known(id=preview), Known(id=f"{in_use}-preview")]

    settled = find_successor(Known(id=in_use), listed=listed)
    unsettled = find_successor(Known(id=f"{in_use}-preview"), listed=listed)

    assert settled.successor is None
    assert unsettled.successor is not None
    assert unsettled.successor.id == preview


SAME = """
anthropic.claude-3-haiku-20240307-v1:0; claude-3-haiku-20240307
us.anthropic.claude-sonnet-4-5-20250929-v1:0; anthropic/claude-sonnet-4.5-20250929
claude-sonnet-4-5@20250929; claude-sonnet-4-5-20250929
accounts/fireworks/models/llama-v3p1-70b-instruct; meta-llama/Meta-Llama-3.1-70B-Instruct
@cf/meta/llama-3.1-8b-instruct; meta.llama3-1-8b-instruct-v1:0
ollama/llama3.1:8b; meta-llama/Llama-3.1-8B-Instruct
qwen/qwen-2.5-7b-instruct:free; Qwen/Qwen2.5-7B-Instruct
publishers/google/models/gemini-2.0-flash-001; models/gemini-2.0-flash
gpt-35-turbo-0613; openai/gpt-3.5-turbo-0613
Claude Opus 4.1; anthropic/claude-opus-4.1
zephyra-4-swift; acme/zephyra-4-swift
"""

NOT_SAME = """
meta-llama/Llama-3.1-8B-Instruct; meta-llama/Llama-3.1-8B-Instruct-FP8
meta-llama/Llama-3.1-8B-Instruct; acme/Llama-3.1-8B-Instruct
gpt-4o-2024-05-13; gpt-4o-2024-08-06
gpt-4o; ft:gpt-4o:acme::1
zephyra-4; zephyra-4-preview
"""


@pytest.mark.parametrize(("a", "b"), rows(SAME))
def test_one_model_through_two_channels(a: str, b: str) -> None:
    assert same_model(Known(id=a), Known(id=b))
    assert same_model(Known(id=b), Known(id=a))


@pytest.mark.parametrize(("a", "b"), rows(NOT_SAME))
def test_two_models_with_like_names(a: str, b: str) -> None:
    assert not same_model(Known(id=a), Known(id=b))


@pytest.mark.parametrize(
    ("in_use", "newer", "step"),
    [
        ("zeta-2-001", "zeta-2-002", StepKind.REVISION),
        ("zeta-2-2026-01-10", "zeta-2-2026-06-10", StepKind.SNAPSHOT),
        ("zeta-2-preview", "zeta-2", StepKind.SNAPSHOT),
        ("zeta-2", "zeta-2.1", StepKind.MINOR),
        ("zeta-2.9", "zeta-3", StepKind.MAJOR),
        ("gpt-4o", "gpt-4.1", StepKind.MINOR),
        ("tuner/llama-3.1-zeta-8b", "tuner/llama-3.3-zeta-8b", StepKind.MINOR),
    ],
)
def test_the_kind_of_step(in_use: str, newer: str, step: StepKind) -> None:
    assert find_successor(Known(id=in_use), listed=[Known(id=newer)]).step is step


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (("kimi-k2-1105", date(2025, 11, 6)), ("kimi-k2-0210", date(2026, 2, 11))),
        (("zeta-2-1230", date(2026, 1, 2)), ("zeta-2-0201", date(2026, 2, 1))),
        (("zeta-2-1201", date(2025, 12, 1)), ("zeta-2-0102", date(2025, 12, 30))),
        (("gpt-3.5-turbo-1106", None), ("gpt-3.5-turbo-0125", None)),
    ],
)
def test_a_snapshot_without_year_takes_it_from_the_release(
    older: tuple[str, date | None], newer: tuple[str, date | None]
) -> None:
    old, new = (Known(id=id, released=released) for id, released in (older, newer))

    assert find_successor(old, listed=[new]).successor == new
    assert find_successor(new, listed=[old]).successor is None
