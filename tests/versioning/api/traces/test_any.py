"""Whatever an instrumentation writes into a span, it is a sample or it is refused."""

from hypothesis import given
from hypothesis import strategies as st

from versioning.services.samples import trace_names, traces
from versioning.services.samples.incoming import Rejected, SampleIn
from versioning.services.samples.trace_format import Span
from versioning.services.samples.trace_providers import Providers

names = st.sampled_from(
    [
        *sorted(trace_names._READ),
        "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "ai.usage.cachedInputTokens",
        "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.ephemeral_1h_tokens",
        "gen_ai.usage.details.reasoning_tokens", "gen_ai.usage.total_tokens",
        *(f"hotswap.{name}" for name in (
            "model", "task", "source", "request_id", "quality", "cost_usd", "valid_output",
            "user_feedback", "retries", "latency_budget_ms", "tag.x", "tag.", "other",
        )),
    ]
)  # fmt: skip
values = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=300)
    | st.sampled_from(["NaN", "Infinity", "1e999", "-1", "sNaN", "0x10", "٣"])
)
moments = st.integers(0, 2**64 - 1)


@given(st.dictionaries(names, values), moments, moments, st.booleans(), st.text())
def test_any_span_is_a_sample_or_refused(
    attributes: dict[str, traces.Scalar], start: int, end: int, failed: bool, exception: str
) -> None:
    span = Span(
        attributes=attributes,
        resource={},
        scope="",
        trace_id="a",
        span_id="b",
        parent_id="",
        start_ns=start,
        end_ns=end,
        failed=failed,
        exception=exception,
    )
    nobody = Providers(places=(), servers={})
    made = traces._sample(span, 3, nobody)
    assert isinstance(made, SampleIn) or (isinstance(made, Rejected) and made.index == 3)
