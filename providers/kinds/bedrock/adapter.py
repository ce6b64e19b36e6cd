"""Amazon Bedrock: signed requests, models with their lifecycle, and Converse."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from providers import variables
from providers.base import (
    Access,
    Adapter,
    ChatAnswer,
    ChatRequest,
    Connection,
    FinishReason,
    Lifecycle,
    ListedModel,
    Listing,
    Nonsense,
    NotThere,
    ProviderError,
    Refused,
    Response,
    Unavailable,
    Witness,
)
from providers.http import Client
from providers.http.client import Signer
from providers.http.fields import (
    read_answer,
    read_day,
    read_id,
    read_lifecycle,
    read_object,
    read_text,
    read_tokens,
    read_words,
)
from providers.http.pages import follow_pages
from providers.openai_style import bearer, read_rows, split_system

DEFAULT_REGION = "us-east-1"
BEARER_VARIABLE = "AWS_BEARER_TOKEN_BEDROCK"

PAGE_SIZE = "1000"
_PROFILE_KINDS = ("SYSTEM_DEFINED", "APPLICATION")
_ACCESS: Mapping[str, Access] = {
    "ON_DEMAND": "on_demand",
    "INFERENCE_PROFILE": "profile",
    "PROVISIONED": "provisioned",
}
_WORST_FIRST: tuple[Lifecycle, ...] = ("retired", "deprecated", "legacy", "preview", "active")
_REGIONS = frozenset(
    {"af", "ap", "apac", "au", "ca", "eu", "global", "il", "in", "jp", "me", "mx", "sa", "uk", "us"}
    | {"us-gov"}
)

_DENIED = re.compile(r"not authorized|access ?denied", re.IGNORECASE)
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

    def unset_variables(self) -> tuple[str, ...]:
        """Return the variables that hold nothing: for signing, the key's id among them."""
        unset = super().unset_variables()
        if self.connection.key_variable in {"", BEARER_VARIABLE}:
            return unset
        key_id = _key_id_variable(self.connection)
        return unset if _read(key_id) else (*unset, key_id)

    def list_models(self, *, at: datetime) -> Listing:
        """List the region's models, and the inference profiles that most of them need.

        Where profiles can't be asked for, that is a gap: no id counts as missing then.
        """
        rows = read_rows(self.client.get("foundation-models").json, "modelSummaries")
        models = Listing.read(rows, _read_model, at=at)
        try:
            profiles = self._profiles({model.id: model for model in models.models})
        except NotThere:  # a server that knows no profiles
            return models
        except ProviderError as error:
            return replace(models, gaps=(_gap(error),))
        return Listing(
            models=_each_once([*models.models, *profiles.models]),
            dropped=models.dropped + profiles.dropped,
            unread=models.unread + profiles.unread,
        )

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        """Ask for the model or the profile; a model that needs a profile can't be called by id."""
        kind = "inference-profiles" if _is_profile(model_id) else "foundation-models"
        try:
            row = self.client.get(f"{kind}/{quote(model_id, safe='')}").json
        except ProviderError as error:
            return Witness.of_error(error, model_id=model_id)
        details = read_object(read_object(row).get("modelDetails"))
        access = _read_access(details.get("inferenceTypesSupported"))
        if access == "profile":
            return Witness(
                "refused", "It needs an inference profile: on-demand throughput isn't supported."
            )
        if access == "provisioned":
            return Witness("refused", "It needs provisioned throughput.")
        told = read_text(details.get("modelId") or read_object(row).get("inferenceProfileId"))
        arn = read_text(read_object(row).get("inferenceProfileArn"))
        if model_id in (told, arn):
            return Witness("callable")
        return Witness("unknown", "It answered with something else than the model.")

    def _profiles(self, models: Mapping[str, ListedModel]) -> Listing:
        rows: list[Any] = []
        for kind in _PROFILE_KINDS:
            for page in follow_pages(partial(self._page, kind), "", _next_page):
                told = read_object(page).get("inferenceProfileSummaries")
                rows += read_rows([] if told is None else told)
        if not rows:  # an account may have none
            return Listing(models=())
        return Listing.read(rows, lambda row: _read_profile(row, models))

    def _page(self, kind: str, token: str) -> Any:
        more = {"nextToken": token} if token else {}
        params = {"maxResults": PAGE_SIZE, "type": kind, **more}
        return self.client.get("inference-profiles", params=params).json

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
        answer = self.runtime.chat(
            f"model/{quote(request.model, safe='')}/converse",
            body,
            request,
        )
        return _read_answer(answer)


def _next_page(page: Any) -> str:
    return read_text(read_object(page).get("nextToken"))


def _gap(error: ProviderError) -> str:
    if isinstance(error, Refused) or _DENIED.search(str(error)):
        return (
            "Inference profiles could not be listed: this key needs the permission "
            f"bedrock:ListInferenceProfiles. {error}"
        )
    return f"Inference profiles could not be listed: {error}"


def _each_once(models: Sequence[ListedModel]) -> tuple[ListedModel, ...]:
    return tuple({model.id: model for model in models}.values())


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
        _read(_key_id_variable(connection)),
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


def _key_id_variable(connection: Connection) -> str:
    return connection.options.get("access_key_id_env") or "AWS_ACCESS_KEY_ID"


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
        lifecycle=read_lifecycle(lifecycle.get("status")),
        access=_read_access(row.get("inferenceTypesSupported")),
        source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html"
        if retires_on
        else "",
    )


def _read_access(told: Any) -> Access:
    """Return how a model can be called, from ``inferenceTypesSupported``."""
    words = read_words(told)
    return next((access for word, access in _ACCESS.items() if word in words), "")


def _read_profile(row: Any, models: Mapping[str, ListedModel]) -> ListedModel:
    """Read an inference profile: it is the model that it leads to, under an id of its own.

    One that an account made is called by its ARN, as its id says nothing.
    """
    given = read_id(row, "inferenceProfileId")
    arn = read_text(row.get("inferenceProfileArn"))
    is_own = row.get("type") == "APPLICATION"
    leads_to = [
        read_text(read_object(each).get("modelArn")).rpartition("/")[2]
        for each in (row.get("models") if isinstance(row.get("models"), list) else ())
    ]
    known = [models[id] for id in dict.fromkeys(leads_to) if id in models]
    of_model = known[0] if known else ListedModel(id=given)
    lifecycles = {model.lifecycle for model in known}
    return replace(
        of_model,
        id=arn if is_own and arn else given,
        name=read_text(row.get("inferenceProfileName")),
        aliases=(given,) if is_own and arn else (arn,) if arn else (),
        access="on_demand",
        lifecycle=next((word for word in _WORST_FIRST if word in lifecycles), ""),
    )


def _is_profile(model_id: str) -> bool:
    """Tell a profile from a model: a region, or an ARN, comes before the maker."""
    if model_id.startswith("arn:"):
        return "inference-profile" in model_id
    return model_id.partition(".")[0] in _REGIONS


def _lower(value: Any) -> tuple[str, ...]:
    return tuple(word.lower() for word in read_words(value))


def _read_answer(answer: Response) -> ChatAnswer:
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
        cache_write_tokens=counts[2],
        latency_ms=answer.elapsed_ms,
        attempts=answer.attempts,
    )
