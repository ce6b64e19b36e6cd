"""Every registered adapter, the same checks, over real HTTP against the simulator."""

import logging
import traceback

import pytest

from providers import registry
from providers.base import (
    Adapter,
    ChatRequest,
    Connection,
    Incompatible,
    Nonsense,
    ProviderError,
    Refused,
    Unavailable,
)
from sample_world.simulator import Simulator
from sample_world.simulator.mind import CACHED, CUT, EMPTY, KEPT, REFUSE
from sample_world.simulator.server import KEY
from tests.providers.conftest import NOW

VARIABLE = "CONFORMANCE_KEY"
WRONG_KEY = "sk-wrong-0123456789/+="

EVERY = registry.adapter_classes()
OVER_HTTP = [adapter for adapter in EVERY if adapter.needs_address]
WITH_KEYS = [a for a in OVER_HTTP if a.default_key_variable and a.kind not in {"ollama"}]
CHATTING = [adapter for adapter in OVER_HTTP if adapter.supports_completion]


def by_kind(adapters: list[type[Adapter]] | tuple[type[Adapter], ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("adapter", adapters, ids=lambda adapter: adapter.kind)


def connect(adapter: type[Adapter], sim: Simulator, *, key: str = KEY) -> Adapter:
    url = sim.base_url(adapter.kind) if adapter.needs_address else ""
    return adapter(Connection(url, api_key=key, key_variable=VARIABLE))


def chat_id(adapter: type[Adapter], sim: Simulator) -> str:
    return next(model.id for model in sim.models(adapter.kind) if model.type == "chat")


def ask(adapter: type[Adapter], sim: Simulator, prompt: str, **more: object) -> ChatRequest:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}]
    return ChatRequest(chat_id(adapter, sim), messages, **more)  # type: ignore[arg-type]


@by_kind(EVERY)
def test_it_says_what_it_is(adapter: type[Adapter]) -> None:
    assert adapter.kind.isidentifier()
    assert adapter.label
    assert (adapter.kind, adapter.label) in registry.kinds()
    assert registry.adapter_class(adapter.kind) is adapter
    assert not (adapter.is_enrichment and adapter.supports_completion)


@by_kind(EVERY)
def test_it_lists_every_model_once(adapter: type[Adapter], sim: Simulator) -> None:
    sim.set_day(31)
    listing = connect(adapter, sim).list_models(at=NOW)
    names = [(model.provider, model.id) for model in listing.models]
    assert len(set(names)) == len(names)
    assert listing.dropped == ()
    assert all(bool(model.provider) == adapter.is_enrichment for model in listing.models)


@by_kind([a for a in OVER_HTTP if not a.is_enrichment])
def test_it_follows_all_pages(adapter: type[Adapter], sim: Simulator) -> None:
    listing = connect(adapter, sim).list_models(at=NOW)
    assert {model.id for model in listing.models} == {m.id for m in sim.models(adapter.kind)}


@by_kind([a for a in EVERY if a.supports_retirement])
def test_it_tells_when_a_model_retires(adapter: type[Adapter], sim: Simulator) -> None:
    sim.set_day(31)
    retiring = [m for m in connect(adapter, sim).list_models(at=NOW).models if m.retires_on]
    assert retiring
    assert all(model.retires_precision for model in retiring)


@by_kind([a for a in EVERY if a.supports_revision])
def test_it_tells_what_stands_behind_an_id(adapter: type[Adapter], sim: Simulator) -> None:
    model_id = next(m.id for m in sim.models(adapter.kind) if not m.serves)
    before = connect(adapter, sim).describe(model_id, at=NOW)
    sim.world.change(adapter.kind, model_id, revision="another")
    after = connect(adapter, sim).describe(model_id, at=NOW)
    assert before is not None
    assert after is not None
    assert before.revision != after.revision


@by_kind([a for a in EVERY if not a.is_enrichment])
def test_it_describes_one_model_or_none(adapter: type[Adapter], sim: Simulator) -> None:
    asked = connect(adapter, sim)
    described = asked.describe(chat_id(adapter, sim), at=NOW)
    assert described is not None
    assert described.id == chat_id(adapter, sim)
    assert asked.describe("no-such-model", at=NOW) is None


@by_kind([a for a in EVERY if a.is_enrichment])
def test_a_catalogue_describes_a_provider_s_model(adapter: type[Adapter], sim: Simulator) -> None:
    sim.set_day(31)
    asked = connect(adapter, sim)
    listed = asked.list_models(at=NOW).models[0]
    described = asked.describe(f"{listed.provider}/{listed.id}", at=NOW)
    assert described is not None
    assert described.id == listed.id


@by_kind(WITH_KEYS)
def test_a_bad_key_is_refused_by_the_variable_s_name(
    adapter: type[Adapter], sim: Simulator
) -> None:
    with pytest.raises(Refused, match=VARIABLE) as caught:
        connect(adapter, sim, key=WRONG_KEY).list_models(at=NOW)
    assert "missing, wrong or expired" in str(caught.value)


@by_kind([a for a in CHATTING if a.default_key_variable])
def test_a_missing_key_is_refused_by_the_variable_s_name(
    adapter: type[Adapter], sim: Simulator
) -> None:
    with pytest.raises(Refused, match=f"{VARIABLE} is not set"):
        connect(adapter, sim, key="").complete(ask(adapter, sim, "Hello."))


@by_kind(OVER_HTTP)
@pytest.mark.parametrize("mode", ["http_500", "http_429", "html", "not_json", "empty"])
def test_an_unset_key_is_named_whatever_fails(
    adapter: type[Adapter], mode: str, sim: Simulator
) -> None:
    """Servers answer a missing key with many things: only some of them say 401."""
    sim.fail(adapter.kind, mode)
    with pytest.raises(ProviderError, match=f"{VARIABLE} is not set here: set it"):
        connect(adapter, sim, key="").list_models(at=NOW)


@by_kind(CHATTING)
@pytest.mark.parametrize("mode", ["http_500", "bad_request", "html"])
def test_an_unset_key_is_named_by_a_failed_chat_and_by_the_witness(
    adapter: type[Adapter], mode: str, sim: Simulator
) -> None:
    sim.fail(adapter.kind, mode)
    with pytest.raises(ProviderError, match=f"{VARIABLE} is not set here") as caught:
        connect(adapter, sim, key="").complete(ask(adapter, sim, "Hello."))
    assert str(caught.value).count(VARIABLE) == 1
    if adapter.call_once is Adapter.call_once:
        called = connect(adapter, sim, key="").call_once(chat_id(adapter, sim), timeout_s=5)
        assert f"{VARIABLE} is not set here" in called.sentence


@by_kind(OVER_HTTP)
def test_a_key_that_is_set_is_not_called_unset(adapter: type[Adapter], sim: Simulator) -> None:
    sim.fail(adapter.kind, "http_500")
    with pytest.raises(ProviderError) as caught:
        connect(adapter, sim).list_models(at=NOW)
    assert f"{VARIABLE} is not set" not in str(caught.value)


@by_kind(OVER_HTTP)
@pytest.mark.parametrize("mode", ["http_500", "http_503", "http_429", "truncated"])
def test_a_busy_or_broken_server_is_unavailable(
    adapter: type[Adapter], mode: str, sim: Simulator
) -> None:
    sim.fail(adapter.kind, mode)
    with pytest.raises(Unavailable):
        connect(adapter, sim).list_models(at=NOW)


@by_kind(OVER_HTTP)
@pytest.mark.parametrize("mode", ["html", "not_json", "empty", "oversized"])
def test_an_answer_out_of_shape_is_nonsense(
    adapter: type[Adapter], mode: str, sim: Simulator
) -> None:
    sim.fail(adapter.kind, mode)
    with pytest.raises(Nonsense):
        connect(adapter, sim).list_models(at=NOW)


@by_kind(OVER_HTTP)
@pytest.mark.parametrize("body", [None, 7, "text", {"data": 1}, {"models": {}}, [[[]]]])
def test_a_shape_that_nobody_documented_is_nonsense(
    adapter: type[Adapter], body: object, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.http.client.decode", lambda answered, most: body)
    with pytest.raises(Nonsense):
        connect(adapter, sim).list_models(at=NOW)


@by_kind(OVER_HTTP)
def test_one_bad_item_is_dropped_and_counted(adapter: type[Adapter], sim: Simulator) -> None:
    sim.set_day(31)
    good = connect(adapter, sim).list_models(at=NOW)
    sim.fail(adapter.kind, "garbage", times=1)
    spoilt = connect(adapter, sim).list_models(at=NOW)
    assert len(spoilt.dropped) == 1
    assert len(spoilt.models) == len(good.models)


@by_kind(OVER_HTTP)
def test_a_listing_that_lost_most_is_still_a_listing(
    adapter: type[Adapter], sim: Simulator
) -> None:
    sim.set_day(31)
    whole = connect(adapter, sim).list_models(at=NOW)
    sim.fail(adapter.kind, "half")
    assert len(connect(adapter, sim).list_models(at=NOW).models) < len(whole.models) / 2


@by_kind(OVER_HTTP)
def test_a_redirect_never_carries_the_key_away(adapter: type[Adapter], sim: Simulator) -> None:
    sim.fail(adapter.kind, "redirect", times=1)
    with pytest.raises(ProviderError):
        connect(adapter, sim).list_models(at=NOW)
    first, *rest = sim.requests(adapter.kind)
    assert rest
    assert all(KEY not in str(seen.headers) for seen in rest)
    assert all("authorization" not in seen.headers for seen in rest)
    assert adapter not in WITH_KEYS or adapter.kind == "bedrock" or KEY in str(first.headers)


@by_kind(WITH_KEYS)
def test_the_key_is_in_no_repr_log_or_error(
    adapter: type[Adapter], sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = connect(adapter, sim, key=WRONG_KEY)
    with pytest.raises(Refused) as caught:
        asked.list_models(at=NOW)
    told = [repr(asked.connection), repr(vars(asked)), caplog.text]
    told += traceback.format_exception(caught.value)
    assert WRONG_KEY not in "".join(told)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@by_kind(CHATTING)
def test_it_completes_a_chat_and_tells_what_was_served(
    adapter: type[Adapter], sim: Simulator
) -> None:
    sim.world.change(adapter.kind, chat_id(adapter, sim), quality={"*": 1.0})
    done = connect(adapter, sim).complete(ask(adapter, sim, "What is 17 + 25?", max_tokens=50))
    assert done.text == "42"
    assert done.finish == "stop"
    assert done.served_id in {chat_id(adapter, sim), ""}
    assert done.input_tokens
    assert done.output_tokens == 1
    assert done.latency_ms > 0


@by_kind([a for a in CHATTING if a.kind != "ollama"])
def test_a_refusal_is_an_answer(adapter: type[Adapter], sim: Simulator) -> None:
    done = connect(adapter, sim).complete(ask(adapter, sim, REFUSE))
    assert done.finish == "refusal"


@by_kind([a for a in CHATTING if a.kind != "ollama"])
def test_cached_tokens_are_part_of_the_input(adapter: type[Adapter], sim: Simulator) -> None:
    """Whether a provider counts them within its input or beside it."""
    plain = connect(adapter, sim).complete(ask(adapter, sim, f"{'x' * 300}[[marker]]"))
    done = connect(adapter, sim).complete(ask(adapter, sim, f"{'x' * 300}{CACHED}"))
    assert plain.cached_tokens in (0, None)
    assert done.cached_tokens in (75, 78)  # some speak of the system's text apart
    assert done.input_tokens == plain.input_tokens


@by_kind([a for a in CHATTING if a.kind in {"anthropic", "bedrock"}])
def test_tokens_written_to_a_cache_are_part_of_the_input(
    adapter: type[Adapter], sim: Simulator
) -> None:
    done = connect(adapter, sim).complete(ask(adapter, sim, f"{'x' * 300}{CACHED}{'y' * 90}{KEPT}"))
    assert (done.cached_tokens, done.cache_write_tokens) == (75, 25)
    assert done.input_tokens is not None
    assert done.input_tokens >= 75 + 25


@by_kind(CHATTING)
def test_an_empty_answer_is_an_answer(adapter: type[Adapter], sim: Simulator) -> None:
    done = connect(adapter, sim).complete(ask(adapter, sim, EMPTY))
    assert (done.text, done.finish) == ("", "stop")


@by_kind(CHATTING)
def test_an_answer_cut_off_says_so(adapter: type[Adapter], sim: Simulator) -> None:
    prompt = f"{CUT} Summarise: A quick brown fox jumps over the lazy dog. It is late."
    done = connect(adapter, sim).complete(ask(adapter, sim, prompt))
    assert done.finish == "length"
    assert done.text


@by_kind(CHATTING)
@pytest.mark.parametrize("mode", ["bad_request", "unknown_model"])
def test_a_request_that_can_t_be_done_is_incompatible(
    adapter: type[Adapter], mode: str, sim: Simulator
) -> None:
    request = ask(adapter, sim, "Hello.")
    if mode == "bad_request":
        sim.fail(adapter.kind, mode, scope="chat")
    else:
        request = ChatRequest("no-such-model", request.messages)
    with pytest.raises(Incompatible):
        connect(adapter, sim).complete(request)


@by_kind(CHATTING)
@pytest.mark.parametrize(("mode", "error"), [("http_500", Unavailable), ("html", Nonsense)])
def test_a_failed_chat_is_told_apart_from_an_answer(
    adapter: type[Adapter], mode: str, error: type[ProviderError], sim: Simulator
) -> None:
    sim.fail(adapter.kind, mode, scope="chat")
    with pytest.raises(error):
        connect(adapter, sim).complete(ask(adapter, sim, "Hello."))
    assert len(sim.requests(adapter.kind)) == 1


@by_kind(CHATTING)
def test_a_chat_is_repeated_only_where_that_is_safe(adapter: type[Adapter], sim: Simulator) -> None:
    sim.fail(adapter.kind, "http_429", times=1, retry_after="0")
    with pytest.raises(Unavailable):
        connect(adapter, sim).complete(ask(adapter, sim, "Hello."))
    sim.fail(adapter.kind, "http_429", times=1, retry_after="0")
    done = connect(adapter, sim).complete(ask(adapter, sim, "Hello.", safe_to_repeat=True))
    assert done.attempts == 2
