// Asks for decisions by name and by position, and for one that is refused: node ask.js URL REQUEST-BY-POSITION BY-NAME
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type PredictRequest = components["schemas"]["PredictRequest"];
type Decision = components["schemas"]["PredictAnswer"];

const [url, ...requests] = process.argv.slice(2) as [string, ...string[]];
const client = createClient<paths>({ baseUrl: url });
const told: { decision: Decision["decision"]; probability: number; reasons: string[] }[] = [];
for (const request of requests) {
  const { data, error } = await client.POST("/predict", { body: JSON.parse(request) as PredictRequest });
  if (data === undefined) throw new Error(error.detail);
  told.push({
    decision: data.decision,
    probability: data.probability,
    reasons: data.reasons.map((reason) => reason.code),
  });
}
// @ts-expect-error features are numbers, and no text
const wrong: PredictRequest = { data: { features: "none" } };
const { error, response } = await client.POST("/predict", { body: wrong });
console.log(JSON.stringify({ told, problem: { status: response.status, type: error?.type } }));
