import { listWorkers } from "@jobqueue/store";
import { documented } from "../json.ts";
import { Problem } from "../problem.ts";
import { type Api, defineRoute } from "../route.ts";
import { flag, list, object } from "../schema.ts";
import { ID, WORKER } from "./shapes.ts";

/** Workers as the document describes them. */
export async function readWorkers(
  { database }: Pick<Api, "database">,
  filter: { readonly includeGone?: boolean } = {},
) {
  return (await listWorkers(database, filter)).map((worker) => documented(WORKER, worker));
}

/** Routes of workers. */
export const WORKER_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/api/v1/workers",
    id: "listWorkers",
    tag: "Workers",
    summary: "Workers, the newest first, with what is thought of them.",
    access: ["workers:read"],
    query: {
      includeGone: flag({ default: false, description: "Also those that left, as long as they are remembered." }),
    },
    answer: { schema: object({ workers: list(WORKER) }), words: "The workers." },
    handle: async ({ query }, api) => ({ workers: await readWorkers(api, query) }),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/workers/{id}",
    id: "getWorker",
    tag: "Workers",
    summary: "One worker.",
    access: ["workers:read"],
    params: { id: ID },
    answer: { schema: WORKER, words: "The worker." },
    problems: ["not_found"],
    handle: async ({ params }, api) => {
      const [found] = await listWorkers(api.database, { includeGone: true, id: params.id });
      if (found === undefined) throw new Problem("not_found", `The store remembers no worker ${params.id}.`);
      return documented(WORKER, found);
    },
  }),
];
