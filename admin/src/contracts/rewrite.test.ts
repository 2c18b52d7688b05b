import { expect, it } from "vitest";
import { rewriteUrl } from "./rewrite.ts";

it.each([
  ["/__api__/v1/queue?queue_names=a", "/v1/queue?queue_names=a"],
  ["/connect/__api__/queue/5", "/queue/5"],
  ["/v1/queue?x=/__api__/y", "/v1/queue?x=/__api__/y"],
  ["/@rq-queues", "/@rq-queues"],
  ["/Plone/@rq-queues/low/failed_job_registry?a=b", "/@rq-queues/low/failed_job_registry?a=b"],
  ["/a/b/c/%40rq-job/normal/a1b2", "/@rq-job/normal/a1b2"],
  ["/Plone/@rq-others", "/Plone/@rq-others"],
  ["/api/v1/jobs", "/api/v1/jobs"],
])("%s is %s", (url, expected) => {
  expect(rewriteUrl(url)).toBe(expected);
});
