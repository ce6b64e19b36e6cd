"""Amazon Bedrock: signed requests, models with their lifecycle, and Converse."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from providers import variables
from providers.base import (
    Adapter,
    ChatAnswer,
    ChatRequest,
    Connection,
    FinishReason,
    ListedModel,
    Listing,
    Nonsense,
    Unavailable,
)
from providers.http import Answer, Client
from providers.http.client import Signer
from providers.http.fields import (
    read_answer,
    read_day,
    read_id,
    read_object,
    read_text,
    read_tokens,
    read_words,
)
from providers.openai_style import bearer, read_rows, split_system

DEFAULT_REGION = "us-east-1"
BEARER_VARIABLE = "AWS_BEARER_TOKEN_BEDROCK"

_REGION_IN_HOST = re.compile(r"//bedrock(?:-runtime)?(?:-fips)?\.([a-z0-9-]+)\.")
_FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filtered": "refusal",
    "guardrail_intervened": "refusal",
    "tool_use": "tool_calls",
}


class Bedrock(Adapter):
    """The key's variable holds the secret access key, or a Bedrock API key under AWS's name.

    Options: region; access_key_id_env and session_token_env name other variables than AWS's
    usual ones; runtime_url is where chats go, where that isn't told by the base URL.
    """

    kind = "bedrock"
    label = "Amazon Bedrock"
    default_base_url = f"https://bedrock.{DEFAULT_REGION}.amazonaws.com"
    default_key_variable = "AWS_SECRET_ACCESS_KEY"
    more_key_variables = ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", BEARER_VARIABLE)
    supports_retirement = True

    def __init__(self, connection: Connection) -> None:
        options = connection.options
        found = _REGION_IN_HOST.search(connection.base_url)
        region = options.get("region") or (found.group(1) if found else DEFAULT_REGION)
        if connection.base_url == self.default_base_url:
            connection = replace(connection, base_url=f"https://bedrock.{region}.amazonaws.com")
        super().__init__(connection)
        runtime_url = options.get("runtime_url") or connection.base_url.replace(
            "//bedrock.", "//bedrock-runtime.", 1
        )
        self.client = _client(connection, region=region)
        self.runtime = _client(replace(connection, base_url=runtime_url), region=region)

    def list_models(self, *, at: datetime) -> Listing:
        rows = read_rows(self.client.get("foundation-models").json, "modelSummaries")
        return Listing.read(rows, _read_model)

    def complete(self, request: ChatRequest) -> ChatAnswer:
        system, turns = split_system(request.messages)
        inference = dict(read_object(request.parameters.get("inferenceConfig")))
        if request.max_tokens is not None:
            inference["maxTokens"] = request.max_tokens
        if request.temperature is not None:
            inference["temperature"] = request.temperature
        body: dict[str, Any] = {
            **request.parameters,
            "messages": [{"role": role, "content": [{"text": text}]} for role, text in turns],
            "inferenceConfig": inference,
        }
        if system:
            body["system"] = [{"text": system}]
        answer = self.runtime.post(
            f"model/{quote(request.model, safe='')}/converse",
            body,
            safe_to_repeat=request.safe_to_repeat,
            timeout_s=request.timeout_s,
        )
        return _read_answer(answer)


def _client(connection: Connection, *, region: str) -> Client:
    if connection.key_variable == BEARER_VARIABLE:
        return Client(connection, secret_headers=bearer(connection.api_key))
    return Client(connection, signer=_signer(connection, region=region))


def _signer(connection: Connection, *, region: str) -> Signer:
    """Return what signs a request (AWS Signature Version 4); Unavailable without botocore."""
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
    except ImportError as error:
        raise Unavailable(
            "Bedrock needs the package botocore to sign requests: install hotswap[bedrock]."
        ) from error
    options = connection.options
    credentials = Credentials(
        _read(options.get("access_key_id_env") or "AWS_ACCESS_KEY_ID"),
        connection.api_key,
        _read(options.get("session_token_env") or "AWS_SESSION_TOKEN") or None,
    )

    def sign(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        # Only what reaches the server unchanged is signed.
        signed = {name: value for name, value in headers.items() if name == "Content-Type"}
        request = AWSRequest(method=method, url=url, headers=signed, data=body)
        SigV4Auth(credentials, "bedrock", region).add_auth(request)
        return {name: value for name, value in request.headers.items() if name != "Content-Type"}

    return sign


def _read(name: str) -> str:
    return variables.read(name, known=variables.AWS)


def _read_model(row: Any) -> ListedModel:
    model_id = read_id(row, "modelId")
    lifecycle = read_object(row.get("modelLifecycle"))
    retires_on = read_day(lifecycle.get("endOfLifeTime"))
    streams = row.get("responseStreamingSupported") is True
    return ListedModel(
        id=model_id,
        name=read_text(row.get("modelName")),
        released=read_day(lifecycle.get("startOfLifeTime")),
        input_modalities=_lower(row.get("inputModalities")),
        output_modalities=_lower(row.get("outputModalities")),
        capabilities=("streaming",) if streams else (),
        deprecated_on=read_day(lifecycle.get("legacyTime")),
        retires_on=retires_on,
        retires_precision="exact" if retires_on else None,
        source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html"
        if retires_on
        else "",
    )


def _lower(value: Any) -> tuple[str, ...]:
    return tuple(word.lower() for word in read_words(value))


def _read_answer(answer: Answer) -> ChatAnswer:
    payload = read_object(answer.json)
    message = read_object(read_object(payload.get("output")).get("message"))
    content = message.get("content")
    if not isinstance(content, list):
        raise Nonsense("The chat answer has no message.")
    usage = read_object(payload.get("usage"))
    # What was read from or written to the cache is counted apart from inputTokens.
    names = ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    counts = [read_tokens(usage.get(name)) for name in names]
    return ChatAnswer(
        text="".join(read_answer(read_object(block).get("text")) for block in content),
        finish=_FINISH.get(read_text(payload.get("stopReason")), "other"),
        input_tokens=None if counts[0] is None else sum(count or 0 for count in counts),
        output_tokens=read_tokens(usage.get("outputTokens")),
        cached_tokens=counts[1],
        latency_ms=answer.elapsed_ms,
        attempts=answer.attempts,
    )
