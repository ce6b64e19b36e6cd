"""Calls by the client that openapi-generator makes for Python; what is asked comes on stdin."""

import json
import sys

import openapi_client as made

asked = json.load(sys.stdin)
client = made.ApiClient(made.Configuration(host=asked["url"], access_token=asked["key"]))
answers = {
    read["id"]: getattr(getattr(made, f"{read['tag'].capitalize()}Api")(client), read["id"])(
        **read["parts"]
    )
    for read in asked["reads"]
}
model = asked["model"]
taken = made.SamplesApi(client).performance_samples(
    made.PerformanceSamplesRequest(
        made.SampleInBatch(
            samples=[made.SampleIn(**model, task="summarise", cost_usd=made.SampleInCostUsd("0.5"))]
        )
    )
)
alone = made.SamplesApi(client).performance_samples(
    made.PerformanceSamplesRequest(made.SampleAlone(**model, task="summarise", quality=1))
)
looked = made.ModelsApi(client).auto_upgrade(
    **model, auto_upgrade_request_request=made.AutoUpgradeRequestRequest(auto_upgrade=False)
)
changed = made.PoliciesApi(client).change_policy(
    asked["policy"], patched_policy_form_request=made.PatchedPolicyFormRequest(watch_days=3)
)
try:
    made.ModelsApi(client).current("none", "none")
    refused = 0
except made.ApiException as error:
    refused = error.status
json.dump(
    {
        "reads": sorted(answers),
        "upstream_id": answers["current"].version.upstream_id,
        "served": max(len(each.served) for each in answers["history"].results),
        "windows": [each.to_dict() for each in answers["policies"].results[0].windows],
        "quality": answers["samples"].results[0].quality,
        "accepted": [taken.accepted, alone.accepted],
        "upgraded": looked.upgraded,
        "watch_days": changed.watch_days,
        "refused": refused,
    },
    sys.stdout,
)
