// Calls by the client that openapi-generator makes for TypeScript; what is asked comes on stdin.
import { readFileSync } from "node:fs";

import * as made from "./typescript_fetch_client/index";

type Read = { id: string; tag: string; parts: Record<string, string | number> };

async function main(): Promise<void> {
  const asked = JSON.parse(readFileSync(0, "utf8"));
  const settings = new made.Configuration({ basePath: asked.url, accessToken: asked.key });
  const reads: string[] = [];
  for (const { id, tag, parts } of asked.reads as Read[]) {
    const camel = (text: string) => text.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
    const Api = (made as any)[tag[0].toUpperCase() + tag.slice(1) + "Api"];
    const named = Object.entries(parts).map(([name, value]) => [camel(name), value]);
    await new Api(settings)[camel(id)](Object.fromEntries(named));
    reads.push(id);
  }
  const models = new made.ModelsApi(settings);
  const { provider, model } = asked.model;
  const current = await models.current({ provider, model });
  const history = await models.history({ provider, model });
  const policies = await new made.PoliciesApi(settings).policies();
  const samples = await new made.SamplesApi(settings).samples({ limit: 5 });
  const taken = await new made.SamplesApi(settings).performanceSamples({
    performanceSamplesRequest: { samples: [{ provider, model, task: "summarise" }] },
  });
  const alone = await new made.SamplesApi(settings).performanceSamples({
    performanceSamplesRequest: { provider, model, task: "summarise", quality: 1 },
  });
  const looked = await models.autoUpgrade({
    provider,
    model,
    autoUpgradeRequestRequest: { autoUpgrade: false },
  });
  const changed = await new made.PoliciesApi(settings).changePolicy({
    id: asked.policy,
    patchedPolicyFormRequest: { watchDays: 3 },
  });
  const refused = await models.current({ provider: "none", model: "none" }).then(
    () => 0,
    (error) => error.response.status,
  );
  console.log(
    JSON.stringify({
      reads: reads.sort(),
      upstream_id: current.version.upstreamId,
      served: Math.max(...history.results.map((each) => each.served.length)),
      windows: policies.results[0].windows,
      quality: samples.results[0].quality,
      accepted: [taken.accepted, alone.accepted],
      upgraded: looked.upgraded,
      watch_days: changed.watchDays,
      refused,
    }),
  );
}

main();
