import { isForbidden, isInvalid, StatusError, type KubeError } from "../kube/index.ts";

/**
 * Why the API server refuses a Deployment, in the words of the JobQueue it was made from: fields are named as the user wrote
 * them, `spec.workers.template…` instead of `spec.template…`.
 */
export function refusal(error: KubeError): string {
  const causes = error instanceof StatusError ? error.details?.causes?.filter(({ message }) => message) : undefined;
  if (causes && causes.length > 0) {
    return causes.map(({ field, message }) => `${field ? `${inJobQueue(field)}: ` : ""}${message ?? ""}`).join("; ");
  }
  return inJobQueue(error.message.replace(/^[A-Z]+ \/\S+: /, "")); // which request it was is of no use to the reader
}

/** Whether the API server has judged the object, and not merely failed to. */
export function isRefusal(error: unknown): error is KubeError {
  return isInvalid(error) || isForbidden(error);
}

const inJobQueue = (text: string): string => text.replaceAll(/(?<![\w.])spec\.template\b/g, "spec.workers.template");
