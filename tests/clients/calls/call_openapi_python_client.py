"""Calls by the client that openapi-python-client makes; what is asked comes on stdin."""

import json
import sys
from importlib import import_module

from generated import AuthenticatedClient
from generated import models as made

asked = json.load(sys.stdin)
client = AuthenticatedClient(asked["url"], asked["key"], raise_on_unexpected_status=True)


def call(tag, name, *args, **more):
    if "form" in more:
        more["form"] = made.ExportCasesForm(more["form"])
    answer = import_module(f"generated.api.{tag}.{name}").sync_detailed(
        *args, client=client, **more
    )
    return answer.status_code.value, answer.parsed


answers = {read["id"]: call(read["tag"], read["id"], **read["parts"])[1] for read in asked["reads"]}
model = asked["model"]
samples = made.SampleInBatch([made.SampleIn(**model, task="summarise", cost_usd="0.5")])
_, taken = call("samples", "performance_samples", body=samples)
_, alone = call("samples", "performance_samples", body=made.SampleAlone(**model, quality=1))
body = made.AutoUpgradeRequestRequest(auto_upgrade=False)
_, looked = call("models", "auto_upgrade", **model, body=body)
body = made.PatchedPolicyFormRequest(watch_days=3)
_, changed = call("policies", "change_policy", asked["policy"], body=body)
refused, problem = call("models", "current", "none", "none")
assert problem.code == "not-found"
json.dump(
    {
        "reads": sorted(name for name, answer in answers.items() if answer is not None),
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
