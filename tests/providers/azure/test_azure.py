"""Azure OpenAI's documented answers."""

from datetime import date

from providers.kinds.azure.adapter import Azure
from tests.providers.conftest import ScriptedServer, answer, in_turn, read_fixture
from tests.providers.shapes import chat, connect, listed


def test_the_key_and_the_api_s_version_are_sent(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("azure", "models"))
    listed(connect(Azure, server, api_version="2025-04-01-preview"))
    (seen,) = server.seen
    assert seen["path"] == "/openai/models?api-version=2025-04-01-preview"
    assert seen["api-key"] == "k-1"
    assert "authorization" not in seen


def test_entra_takes_a_bearer_token(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("azure", "models"))
    listed(connect(Azure, server, auth="entra"))
    assert server.seen[0]["authorization"] == "Bearer k-1"
    assert "api-key" not in server.seen[0]


def test_a_row_tells_when_inference_ends(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("azure", "models"))
    (model,) = listed(connect(Azure, server)).values()  # not the base for fine-tuning
    assert (model.retires_on, model.retires_precision) == (date(2026, 3, 1), "exact")
    assert model.capabilities == ("chat", "fine_tuning")


def test_pages_follow_the_next_link(server: ScriptedServer) -> None:
    first = {"value": [{"id": "a"}], "nextLink": f"{server.url}/openai/models?page=2"}
    server.script = in_turn(answer(first), answer({"value": [{"id": "b"}]}))
    assert set(listed(connect(Azure, server))) == {"a", "b"}


def test_a_chat_goes_to_a_deployment_and_the_answer_tells_the_model(
    server: ScriptedServer,
) -> None:
    server.script = answer(read_fixture("openai", "chat"))
    done = connect(Azure, server).complete(chat("my deployment"))
    path = "/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21"
    assert server.seen[0]["path"] == path
    assert done.served_id == "quill-5-2025-08-07"


def test_a_filtered_prompt_is_an_answer(server: ScriptedServer) -> None:
    said = {"code": "content_filter", "message": "Filtered.", "status": 400}
    server.script = answer({"error": said}, 400)
    assert connect(Azure, server).complete(chat("mine")).finish == "refusal"
