"""Bedrock's control plane and Converse, with a real check of the request's signature."""

import hashlib
import hmac
import re
from typing import Any
from urllib.parse import quote, unquote

from sample_world.simulator.speech import Refusal, Request, Response, View, Voice
from sample_world.simulator.world import WorldModel

ACCESS_KEY_ID = "AKIASIMULATED"
"""Goes with every secret key that the simulator takes."""

_REGIONS = frozenset({"us", "eu", "apac", "global"})

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<scope>[^,]+),"
    r" SignedHeaders=(?P<signed>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


class BedrockVoice(Voice):
    kind = "bedrock"

    def check_key(self, request: Request, view: View) -> None:
        told = request.headers.get("authorization", "")
        if told.removeprefix("Bearer ") in view.keys:
            return
        found = _AUTHORIZATION.fullmatch(told)
        if not found or found["id"] != ACCESS_KEY_ID:
            raise Refusal(403, "The security token included in the request is invalid.")
        if not any(
            hmac.compare_digest(
                _signature(request, found["scope"], found["signed"], key), found["signature"]
            )
            for key in view.keys
        ):
            raise Refusal(403, "The request signature we calculated does not match.")

    def answer(self, request: Request, view: View) -> Response:
        if request.method == "GET" and request.path == "/foundation-models":
            return Response({"modelSummaries": [_row(model, view) for model in view.models()]})
        if request.method == "GET" and request.path == "/inference-profiles":
            return self._profiles(request, view)
        if request.method == "GET":
            return self._one(request, view)
        found = re.fullmatch(r"/model/([^/]+)/converse", request.path)
        if request.method == "POST" and found:
            return self._converse(unquote(found[1]), request, view)
        raise Refusal(404, "Unknown operation")

    def _profiles(self, request: Request, view: View) -> Response:
        rows = []
        if request.query.get("type") == "SYSTEM_DEFINED":
            rows = [_profile(region, model) for model in view.models() for region in model.profiles]
        start = int(request.query.get("nextToken") or 0)
        end = start + view.page_size
        body: dict[str, Any] = {"inferenceProfileSummaries": rows[start:end]}
        if end < len(rows):
            body["nextToken"] = str(end)
        return Response(body)

    def _one(self, request: Request, view: View) -> Response:
        kind, _, name = request.path.lstrip("/").partition("/")
        if kind == "foundation-models":
            return Response({"modelDetails": _row(view.find(unquote(name)), view)})
        if kind == "inference-profiles":
            region, model = _of_profile(unquote(name), view)
            return Response(_profile(region, model))
        raise Refusal(404, "Unknown operation")

    def _converse(self, model_id: str, request: Request, view: View) -> Response:
        body = request.json if isinstance(request.json, dict) else {}
        limit = body.get("inferenceConfig", {}).get("maxTokens")
        if model_id.partition(".")[0] in _REGIONS:
            model_id = _of_profile(model_id, view)[1].id
        elif "ON_DEMAND" not in view.find(model_id).access:
            raise Refusal(
                400,
                f"Invocation of model ID {model_id} with on-demand throughput isn't supported. "
                "Retry your request with the ID or ARN of an inference profile.",
            )
        _, said = view.say(model_id, body.get("messages", []), limit)
        reasons = {"stop": "end_turn", "length": "max_tokens", "refusal": "content_filtered"}
        return Response(
            {
                "output": {
                    "message": {
                        "role": "assistant",
                        "content": [{"text": said.text}] if said.text else [],
                    }
                },
                "stopReason": reasons[said.finish],
                "usage": {
                    "inputTokens": said.plain_input_tokens,
                    "cacheReadInputTokens": said.cached_tokens,
                    "cacheWriteInputTokens": said.cache_write_tokens,
                    "outputTokens": said.output_tokens,
                    "totalTokens": said.input_tokens + said.output_tokens,
                },
                "metrics": {"latencyMs": 5},
            }
        )

    def error(self, status: int, message: str) -> Any:
        return {"message": message}


def _of_profile(profile_id: str, view: View) -> tuple[str, WorldModel]:
    region, _, model_id = profile_id.partition(".")
    model = view.find(model_id)
    if region not in model.profiles:
        raise Refusal(404, f"The inference profile {profile_id} does not exist.")
    return region, model


def _profile(region: str, model: WorldModel) -> dict[str, Any]:
    name = f"{region}.{model.id}"
    return {
        "inferenceProfileId": name,
        "inferenceProfileArn": f"arn:aws:bedrock:eu-central-1:123:inference-profile/{name}",
        "inferenceProfileName": f"{region} {model.name}",
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
        "models": [{"modelArn": f"arn:aws:bedrock:eu-central-1::foundation-model/{model.id}"}],
    }


def _row(model: WorldModel, view: View) -> dict[str, Any]:
    lifecycle: dict[str, Any] = {"status": "ACTIVE"}
    if model.deprecated is not None:
        lifecycle = {"status": "LEGACY", "legacyTime": view.world.epoch_of(model.deprecated)}
    if model.lifecycle:
        lifecycle["status"] = model.lifecycle
    if model.retires is not None:
        lifecycle["endOfLifeTime"] = view.world.epoch_of(model.retires)
    return {
        "modelId": model.id,
        "modelArn": f"arn:aws:bedrock:eu-central-1::foundation-model/{model.id}",
        "modelName": model.name,
        "providerName": model.id.partition(".")[0],
        "inputModalities": [word.upper() for word in model.inputs],
        "outputModalities": [word.upper() for word in model.outputs],
        "responseStreamingSupported": model.type == "chat",
        "customizationsSupported": [],
        "inferenceTypesSupported": list(model.access),
        "modelLifecycle": lifecycle,
    }


def _signature(request: Request, scope: str, signed: str, secret: str) -> str:
    """Return what AWS Signature Version 4 gives for the request and this secret key."""
    path, _, query = request.target.partition("?")
    canonical = "\n".join(
        [
            request.method,
            quote(path, safe="/-_.~"),
            "&".join(sorted(query.split("&"))) if query else "",
            *(f"{name}:{request.headers.get(name, '').strip()}" for name in signed.split(";")),
            "",
            signed,
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    day, region, service, ending = scope.split("/")
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, ending):
        key = hmac.digest(key, part.encode(), "sha256")
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            request.headers.get("x-amz-date", ""),
            scope,
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    return hmac.digest(key, to_sign.encode(), "sha256").hex()
