"""What the tests of single adapters share: a connection to the scripted server, and a chat."""

from typing import Any, TypeVar

from providers.base import Adapter, ChatRequest, Connection, ListedModel
from tests.providers.conftest import NOW, ScriptedServer

A = TypeVar("A", bound=Adapter)


def connect(adapter: type[A], server: ScriptedServer, **options: str) -> A:
    """Return the adapter with the key ``k-1`` at the scripted server."""
    return adapter(Connection(server.url, api_key="k-1", key_variable="A_KEY", options=options))


def listed(adapter: Adapter) -> dict[str, ListedModel]:
    return {model.id: model for model in adapter.list_models(at=NOW).models}


def chat(model: str, **more: Any) -> ChatRequest:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "6 * 7?"}]
    return ChatRequest(model, messages, max_tokens=50, temperature=0.2, **more)
