"""OpenAI's documented answers, and those of servers that copy its API."""

from datetime import date
from decimal import Decimal

import pytest

from providers.base import ListedModel, Unavailable
from providers.kinds.openai.adapter import PRESETS, OpenAI
from tests.providers.conftest import ScriptedServer, answer, read_fixture
from tests.providers.shapes import chat, connect, listed


def only(server: ScriptedServer, name: str) -> ListedModel:
    server.script = answer(read_fixture("openai", name))
    (model,) = listed(connect(OpenAI, server)).values()
    return model


def test_a_shutdown_date_is_a_retirement(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("openai", "openai"))
    models = listed(connect(OpenAI, server))
    assert models["quill-4-0613"].retires_on == date(2026, 6, 6)
    assert models["quill-5-2025-08-07"].retires_on is None
    assert models["quill-5-2025-08-07"].released == date(2025, 8, 7)
    assert server.seen[0]["authorization"] == "Bearer k-1"


def test_vllm_tells_what_it_loaded_and_no_release(server: ScriptedServer) -> None:
    model = only(server, "vllm")
    assert (model.revision, model.context_tokens) == ("acme-ai/quill-7b-instruct", 32_768)
    assert model.hugging_face_id == "acme-ai/quill-7b-instruct"
    assert model.released is None  # it gives the time of asking


def test_llama_cpp_answers_in_two_forms_at_once(server: ScriptedServer) -> None:
    model = only(server, "llamacpp")
    assert (model.id, model.context_tokens) == ("/models/quill-7b.gguf", 131_072)


def test_together_answers_with_a_bare_list(server: ScriptedServer) -> None:
    model = only(server, "together")
    assert (model.name, model.input_price) == ("Quill 7B", Decimal("0.2"))


def test_groq_lists_models_that_nobody_can_call(server: ScriptedServer) -> None:
    model = only(server, "groq")
    assert (model.id, model.output_tokens) == ("quill-7b-instant", 32_768)


def test_xai_tells_aliases_and_a_fingerprint(server: ScriptedServer) -> None:
    model = only(server, "xai")
    assert (model.revision, model.aliases) == ("fp_1a2b3c", ("quill-4", "quill-4-latest"))
    assert model.is_called("quill-4-latest")


def test_fireworks_has_paths_for_ids(server: ScriptedServer) -> None:
    model = only(server, "fireworks")
    assert model.id == "accounts/fireworks/models/quill-7b"
    assert model.capabilities == ("tools", "vision")


def test_a_chat_tells_the_snapshot_and_all_tokens(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("openai", "chat"))
    done = connect(OpenAI, server).complete(chat("quill-5"))
    assert (done.served_id, done.fingerprint) == ("quill-5-2025-08-07", "fp_44709d6fcb")
    assert (done.input_tokens, done.output_tokens) == (20, 65)
    assert (done.cached_tokens, done.reasoning_tokens) == (8, 64)
    assert done.cost_usd is None


def test_an_error_behind_a_good_status_is_no_answer(server: ScriptedServer) -> None:
    server.script = answer({"error": {"message": "upstream timed out", "code": 502}})
    with pytest.raises(Unavailable, match="upstream timed out"):
        connect(OpenAI, server).complete(chat("quill-5"))


def test_presets_have_names_of_their_own() -> None:
    assert len({preset.slug for preset in PRESETS}) == len(PRESETS)
    assert all(p.base_url.startswith(("https://", "http://127.0.0.1")) for p in PRESETS)
    wanted = {"vllm", "llamacpp", "groq", "together", "fireworks", "deepseek", "xai", "lmstudio"}
    assert wanted <= {preset.slug for preset in PRESETS}


@pytest.mark.parametrize(
    "said",
    [
        {"deprecated": True},
        {"is_deprecated": True},
        {"status": "deprecated"},
        {"lifecycle": {"status": "DEPRECATED"}},
        {"lifecycle_status": "sunsetting"},
    ],
)
def test_a_server_may_say_in_its_own_way_that_a_model_goes(
    server: ScriptedServer, said: dict[str, object]
) -> None:
    server.script = answer({"data": [{"id": "quill-5", **said}]})
    assert listed(connect(OpenAI, server))["quill-5"].lifecycle == "deprecated"


def test_a_day_to_come_is_no_release(server: ScriptedServer) -> None:
    rows = [{"id": f"quill-{n}", "created": 3_000_000_000 + n * 90_061} for n in (1, 2)]
    server.script = answer({"data": rows})
    assert [model.released for model in listed(connect(OpenAI, server)).values()] == [None, None]
