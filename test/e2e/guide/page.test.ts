import { describe, expect, it } from "vitest";
import { mask, saysTheSame } from "./mask.ts";
import { type Command, filesOf, scenesOf, withOutputs } from "./page.ts";

const PAGE = `# A guide

\`\`\`yaml file=queue.yaml
kind: JobQueue
\`\`\`

## A pause

\`\`\`console
$ kubectl apply -f queue.yaml
jobqueue.jobqueue.dev/mail created
$ kubectl get jobqueue
NAME   AGE
mail   3s
\`\`\`

<!-- fault: lightning -->

\`\`\`console until="READY +True"
$ kubectl get jobqueue
\`\`\`

## Words only

Nothing to do.
`;

describe("a guide as a script", () => {
  it("is read as scenes of commands and faults, in order", () => {
    expect(scenesOf(PAGE)).toMatchObject([
      {
        title: "A pause",
        steps: [
          { do: "command", line: "kubectl apply -f queue.yaml", shown: "jobqueue.jobqueue.dev/mail created\n" },
          { do: "command", line: "kubectl get jobqueue", shown: "NAME   AGE\nmail   3s\n" },
          { do: "fault", name: "lightning" },
          { do: "command", line: "kubectl get jobqueue", shown: "", until: /READY +True/m },
        ],
      },
    ]);
    expect(filesOf(PAGE)).toEqual([{ name: "queue.yaml", text: "kind: JobQueue\n" }]);
  });

  it("is recorded in place: every output below its own command, the rest untouched", () => {
    const commands = scenesOf(PAGE).flatMap(({ steps }) =>
      steps.filter((step): step is Command => step.do === "command"),
    );
    const outputs = commands.map((command, index) => ({ command, output: `output ${index}  \n` }));
    const again = withOutputs(PAGE, outputs);
    expect(scenesOf(again)[0]?.steps.map((step) => ("shown" in step ? step.shown : ""))).toEqual([
      "output 0\n",
      "output 1\n",
      "",
      "output 2\n",
    ]);
    expect(again.replaceAll(/^output \d\n/gm, "")).toBe(
      PAGE.replace(/^jobqueue.*created\n/m, "").replace(/^NAME.*\nmail.*\n/m, ""),
    );
    expect(withOutputs(again, [])).toBe(again);
  });
});

describe("what two runs may differ in", () => {
  it("is masked, and nothing else", () => {
    expect(mask("mail-workers-575fb6d847-4b2jt   1/1   Running   0     68s\n\n")).toEqual([
      "mail-workers-<pod> 1/1 Running 0 <age>",
    ]);
    expect(mask("pod mail-workers-575fb6d847-4b2jt on node-2, 1.5 s ago")).toEqual([
      "pod mail-workers-<pod> on <node>, <age> ago",
    ]);
    expect(mask("3 of 20 workers, restarts: 0")).toEqual(["3 of 20 workers, restarts: 0"]);
  });

  it("is ages, names and times, the order of lines, and lines that the page leaves out", () => {
    expect(saysTheSame("mail   True   3s\n", "mail True   2m15s\n")).toBe(true);
    expect(saysTheSame("mail   True   3s\n", "mail False   3s\n")).toBe(false);
    expect(saysTheSame("first\n…\nlast\n", "first\nsecond\nthird\nlast\n")).toBe(true);
    expect(saysTheSame("first\n…\nlast\n", "first\nsecond\n")).toBe(false);
    expect(saysTheSame("one\ntwo\ntwo\n", "two\none\ntwo\n")).toBe(true);
    expect(saysTheSame("one\ntwo\ntwo\n", "two\none\none\n")).toBe(false);
    expect(saysTheSame("first\n", "first\nsecond\n")).toBe(false);
  });
});
