import { describe, expect, it } from "vitest";
import type { ContainerStatus, Pod, StoredPod } from "../kubernetes-objects.ts";
import { podObserved, trimPod } from "./pods.ts";

const NAME = "mailers-workers-a";

function stored(status: Pod["status"], metadata: { deletionTimestamp?: string } = {}): StoredPod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: NAME, namespace: "shop", uid: "pod-1", resourceVersion: "7", creationTimestamp: "", ...metadata },
    spec: { nodeName: "node-1" },
    ...(status && { status }),
  };
}

const condition = (type: string, status: string, reason = "", message = "") => ({ type, status, reason, message });
const container = (some: Partial<ContainerStatus>): Pod["status"] => ({
  phase: "Running",
  containerStatuses: [{ name: "worker", image: "example.com/mail:2", ready: false, restartCount: 0, ...some }],
});
const waiting = (reason: string, message = "") => ({ state: { waiting: { reason, message } } });
const ended = (exitCode: number, reason: string) => ({ lastState: { terminated: { exitCode, reason } } });

describe("N1, N4, N5: what keeps a pod from running its worker", () => {
  it.each<[string, Pod["status"], string | undefined, string?]>([
    ["a pod without a status yet", undefined, undefined],
    ["a container that is being made", container(waiting("ContainerCreating")), undefined],
    ["a container that runs and is not ready yet", container({}), undefined],
    ["N4: an image that is not there", container(waiting("ErrImagePull", "rpc error")), "ImagePullFailed"],
    [
      "N4: the pause before the next attempt reads the same, so that nothing is written",
      container(waiting("ImagePullBackOff", "Back-off pulling")),
      "ImagePullFailed",
      `the image example.com/mail:2 of container worker cannot be pulled; kubectl describe pod ${NAME} says why`,
    ],
    [
      "a container that names a Secret that is not there",
      container(waiting("CreateContainerConfigError", 'secret "token" not found')),
      "ContainerNotStarted",
      `container worker of pod ${NAME} cannot be started: secret "token" not found`,
    ],
    [
      "N5: a worker that cannot start, while its node waits",
      container({ restartCount: 3, ...waiting("CrashLoopBackOff", "back-off 40s"), ...ended(64, "Error") }),
      "WorkersCrashing",
      `container worker of pod ${NAME} ended with exit code 64 and is started again by its node, each time later; kubectl logs ${NAME} -c worker --previous says why`,
    ],
    [
      "N5: and while it tries again",
      container({ restartCount: 4, ...ended(64, "Error") }),
      "WorkersCrashing",
      `container worker of pod ${NAME} ended with exit code 64 and is started again by its node, each time later; kubectl logs ${NAME} -c worker --previous says why`,
    ],
    ["a worker that was out of memory", container({ restartCount: 1, ...ended(137, "OOMKilled") }), "WorkersCrashing"],
    ["a worker that came back", container({ restartCount: 1, ready: true, ...ended(137, "OOMKilled") }), undefined],
    [
      "N4: a pod that no node takes",
      {
        phase: "Pending",
        conditions: [condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available.")],
      },
      "Unschedulable",
      `no node takes pod ${NAME}: 0/3 nodes are available`,
    ],
    [
      "N1: a pod whose node fell silent",
      { phase: "Running", conditions: [condition("Ready", "False"), condition("ContainersReady", "True")] },
      "NodeUnreachable",
      `the node node-1 of pod ${NAME} does not answer; kubectl describe node node-1 says since when, and Kubernetes replaces the pod as its tolerations say`,
    ],
    [
      "a pod that is just not ready",
      { phase: "Running", conditions: [condition("Ready", "False"), condition("ContainersReady", "False")] },
      undefined,
    ],
    ["a pod that ended for good", { ...container(waiting("CrashLoopBackOff")), phase: "Failed" }, undefined],
  ])("%s", (_sentence, status, reason, sentence) => {
    const { trouble } = podObserved(stored(status));
    expect(trouble?.reason).toBe(reason);
    expect(trouble?.sentence).toBe(sentence ?? trouble?.sentence);
  });

  it("is not asked of a pod on its way out, unless its node is silent", () => {
    const leaving = { deletionTimestamp: "2026-08-01T12:00:00Z" };
    const observedLeaving = podObserved(stored(container(waiting("ErrImagePull")), leaving));
    expect(observedLeaving.trouble).toBeUndefined();
    expect(observedLeaving).toMatchObject({
      uid: "pod-1",
      name: NAME,
      over: false,
      leaving: true,
      ready: false,
      node: "node-1",
    });
    const silent = { conditions: [condition("Ready", "False"), condition("ContainersReady", "True")] };
    expect(podObserved(stored(silent, leaving)).trouble?.reason).toBe("NodeUnreachable");
  });
});

describe("the cache of pods", () => {
  it("keeps of a pod what is read of it, and nothing else", () => {
    const full = {
      ...stored(container({ restartCount: 1, ...ended(1, "Error"), ...waiting("CrashLoopBackOff", "back-off 10s") })),
      spec: { nodeName: "node-1", containers: [{ name: "worker" }] },
    };
    const withMore = { ...full, metadata: { ...full.metadata, managedFields: [{}], annotations: { a: "b" } } };
    expect(podObserved(trimPod(withMore))).toEqual(podObserved(full));
    expect(JSON.stringify(trimPod(withMore))).not.toMatch(/managedFields|annotations|"containers"/);
  });
});
