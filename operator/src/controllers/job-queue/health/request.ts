/** The annotations by which a person holds restarts back, or asks for the restart of one worker. */
import { ANNOTATIONS } from "@jobqueue/crds";
import type { RestartSeen } from "../../job-store/store-view.ts";
import type { StoredJobQueue } from "../../kubernetes-objects.ts";
import { cut, STATUS_BOUNDS } from "../../status-bounds.ts";

/** Whether a person said that no hung worker is to be replaced. */
export function restartsAreSuspended({ metadata }: Pick<StoredJobQueue, "metadata">): boolean {
  return metadata.annotations?.[ANNOTATIONS.restarts.name] === "suspended";
}

/** What is asked for now, as the status will repeat it; `undefined`: nothing. */
export function requestOf({ metadata }: StoredJobQueue): string | undefined {
  const asked = metadata.annotations?.[ANNOTATIONS.restartRequested.name];
  return asked === undefined || asked === "" ? undefined : cut(asked, STATUS_BOUNDS.handledRequest);
}

/** Whether an intent was written for this request. */
export function isCarriedOut(restarts: readonly RestartSeen[], request: string): boolean {
  return restarts.some(({ asked, evidence }) => asked && evidence["request"] === request);
}
