import type { ApiClient } from "./api-client.ts";

/** What to ask about, as in a SubjectAccessReview. Without a namespace: in all of them. */
export interface Question {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** A question about a path that is no resource, such as /metrics. */
export interface PathQuestion {
  readonly verb: string;
  readonly path: string;
}

/** Whether a service account, by its name as a user (`system:serviceaccount:NAMESPACE:NAME`), may do something; asked as an admin. */
export async function mayDo(admin: ApiClient, user: string, question: Question | PathQuestion): Promise<boolean> {
  const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  const [, , namespace] = user.split(":");
  const groups = ["system:authenticated", "system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  const about = "path" in question ? { nonResourceAttributes: question } : { resourceAttributes: question };
  const review = await admin.create<{ status: { allowed: boolean } }>(path, {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user, groups, ...about },
  });
  return review.status.allowed;
}
