import { describe, expect, it } from "vitest";
import { executableEnvironment } from "./executable-environment.ts";

const attempt = {
  jobId: "7",
  queue: "low",
  kind: "k",
  attempt: 2,
  leaseToken: "99",
  payloadFile: "/t/p",
  resultFile: "/t/r",
};
const worker = {
  PATH: "/bin",
  LC_ALL: "C",
  DATABASE_URL: "postgres://secret",
  JOBQUEUE_QUEUES: "low",
  AWS_SECRET_ACCESS_KEY: "secret",
  AWS_REGION: "eu",
  NODE_OPTIONS: "--x",
  HOME: undefined,
};

describe("the environment of an executable handler", () => {
  it("has the facts of the attempt, what the manifest says and little else", () => {
    const spec = {
      kind: "k",
      command: ["x"],
      env: { LEVEL: "9" },
      passEnv: ["AWS_REGION", "ABSENT"],
      permanentExitCodes: [],
      cwd: "/",
    };
    expect(executableEnvironment(spec, attempt, worker)).toEqual({
      PATH: "/bin",
      LC_ALL: "C",
      AWS_REGION: "eu",
      LEVEL: "9",
      JOBQUEUE_JOB_ID: "7",
      JOBQUEUE_QUEUE: "low",
      JOBQUEUE_KIND: "k",
      JOBQUEUE_ATTEMPT: "2",
      JOBQUEUE_LEASE_TOKEN: "99",
      JOBQUEUE_PAYLOAD_FILE: "/t/p",
      JOBQUEUE_RESULT_FILE: "/t/r",
    });
  });
});
