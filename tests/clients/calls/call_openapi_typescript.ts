// Calls typed by what openapi-typescript makes; what is asked comes on stdin.
import { readFileSync } from "node:fs";

import createClient from "openapi-fetch";

import type { paths } from "./openapi_typescript_types";

type Read = { id: string; path: string; place: object; query: object };

async function main(): Promise<void> {
  const asked = JSON.parse(readFileSync(0, "utf8"));
  const client = createClient<paths>({
    baseUrl: asked.url,
    headers: { Authorization: `Bearer ${asked.key}` },
  });
  const reads: string[] = [];
  for (const { id, path, place, query } of asked.reads as Read[]) {
    const parseAs = id === "export_cases" ? "text" : "json";
    const params = { path: place, query };
    const { data } = await (client as any).GET(path, { params, parseAs });
    if (data !== undefined) reads.push(id);
  }
  const path: { provider: string; model: string } = asked.model;
  const current = await client.GET("/api/v1/model-versions/{provider}/{model}/current", {
    params: { path },
  });
  const history = await client.GET("/api/v1/model-versions/{provider}/{model}/history", {
    params: { path },
  });
  const policies = await client.GET("/api/v1/policies");
  const samples = await client.GET("/api/v1/performance-samples", { params: { query: { limit: 5 } } });
  const taken = await client.POST("/api/v1/performance-samples", {
    body: { samples: [{ ...path, task: "summarise" }] as any },
  });
  const alone = await client.POST("/api/v1/performance-samples", {
    body: { ...path, task: "summarise" } as any,
  });
  const looked = await client.POST("/api/v1/model-versions/{provider}/{model}/auto-upgrade", {
    params: { path },
    body: { auto_upgrade: false, min_quality_improvement: "0.1" },
  });
  const changed = await client.PATCH("/api/v1/policies/{id}", {
    params: { path: { id: asked.policy } },
    body: { watch_days: 3 },
  });
  const refused = await client.GET("/api/v1/model-versions/{provider}/{model}/current", {
    params: { path: { provider: "none", model: "none" } },
  });
  console.log(
    JSON.stringify({
      reads: reads.sort(),
      upstream_id: current.data?.version.upstream_id,
      served: Math.max(...(history.data?.results ?? []).map((each) => each.served.length)),
      windows: policies.data?.results[0].windows,
      quality: samples.data?.results[0].quality,
      accepted: [taken.data?.accepted, alone.data?.accepted],
      upgraded: looked.data?.upgraded,
      watch_days: changed.data?.watch_days,
      refused: refused.error?.status,
    }),
  );
}

main();
