import { ANNOTATIONS, CONDITIONS, type Kind, type ReasonMeaning } from "@jobqueue/crds";
import { JOB_QUEUE_EVENTS, JOB_STORE_EVENTS } from "@jobqueue/operator";
import { format } from "prettier";

const KINDS: readonly Kind[] = ["JobQueue", "JobStore"];

/** What each type of condition asks, for people who wait for one. A test compares it with the table. */
export const CONDITION_QUESTIONS: Readonly<Record<string, string>> = {
  Ready: "Is the spec in force? For a JobStore: can it be used? Pauses and zero replicas do not count.",
  Paused: "Is a hold in force?",
  Drained: "Has a paused queue come to rest?",
  WorkersAvailable: "Is there anybody to run the jobs?",
  BacklogWithinTarget: "Are spec.objectives met? There only with objectives.",
  Healthy: "Is there a live worker behind what runs?",
  Vacuumed: "Does Postgres clean up behind the queues? A warning: nothing waits for it, and Ready does not count it.",
  RestartsSuspended: "Are restarts of hung workers held back?",
  ReconcileSuspended: "Does the operator leave the object alone? There only while it does.",
  Stalled: "Does a person have to act? There only while somebody has to.",
  Reachable: "Does Postgres answer?",
  SchemaCompatible: "Does the schema fit this operator?",
};

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line), ""];
}

function conditionsOf(kind: Kind): readonly string[] {
  const types: Readonly<Record<string, Readonly<Record<string, ReasonMeaning>>>> = CONDITIONS[kind];
  return Object.entries(types).flatMap(([type, reasons]) => [
    `### ${kind}: ${type}`,
    "",
    CONDITION_QUESTIONS[type] ?? "",
    "",
    ...table(
      ["status", "reason", "who acts", "meaning"],
      Object.entries(reasons).map(([reason, { status, actor, meaning }]) => [
        status.join(" or "),
        `\`${reason}\``,
        actor,
        meaning,
      ]),
    ),
  ]);
}

function eventsOf(kind: Kind): readonly string[] {
  const events = kind === "JobQueue" ? JOB_QUEUE_EVENTS : JOB_STORE_EVENTS;
  return [
    `### Events of a ${kind}`,
    "",
    ...table(
      ["reason", "type", "action", "meaning"],
      Object.entries(events).map(([reason, { type, action, meaning }]) => [`\`${reason}\``, type, action, meaning]),
    ),
  ];
}

/** docs/reference/conditions.md: every condition, event and annotation, from the closed tables in the code. */
export async function conditionsReference(): Promise<string> {
  const lines = [
    '<!-- Made by operator/scripts/generate-reference.ts from crds/src/conditions.ts, crds/src/annotations.ts and operator/src/controllers/events.ts; run "make generate". -->',
    "",
    "# Conditions, events, annotations",
    "",
    "These tables are closed: the operator says nothing else, and listens to nothing else. `jobqueue explain NAME` says which rule",
    "said what.",
    "",
    "## Waiting for a condition",
    "",
    "```sh",
    "kubectl wait jobqueue/mailers --for=condition=Ready --timeout=5m",
    "kubectl wait jobqueue/mailers --for=condition=Drained --timeout=10m   # after a pause",
    "kubectl wait jobstore/default --for=condition=SchemaCompatible",
    "```",
    "",
    "Every condition, and the status as a whole, has `observedGeneration`: the generation of the spec it is about. `kubectl wait` before",
    "1.31 does not look at it; `status.observedGeneration` equal to `metadata.generation` says that the newest spec was looked at.",
    "",
    "Tools that wait by [kstatus](https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md) (Helm, Flux, Argo CD's",
    "default health) read the conditions so:",
    "",
    ...table(
      ["kstatus", "when", "what to do"],
      [
        [
          "InProgress",
          "`Ready` is False or Unknown and there is no `Stalled`, or the newest spec was not looked at yet",
          "wait: the operator goes on by itself, or waits for the store",
        ],
        [
          "Failed",
          "`Stalled` is True",
          "a person has to act: its reason is that of the condition it explains, its message says what to do",
        ],
        [
          "Current",
          "`Ready` is True",
          "nothing; the queue may be paused, and its pool may have no worker because it should have none",
        ],
        [
          "Terminating",
          "it is being deleted",
          "with a deletionPolicy other than Retain, `Ready` says what it waits for",
        ],
      ],
    ),
    "There is no condition `Reconciling`: `Ready` with the reason `Progressing` says the same. `Stalled` is there only while it is True.",
    "What only the store knows is Unknown, not False, while the store does not answer.",
    "",
    ...KINDS.flatMap((kind) => [`## Conditions of a ${kind}`, "", ...conditionsOf(kind)]),
    "## Events",
    "",
    "One for each transition, never one for each look; what concerns a store is told once, on the JobStore.",
    "",
    ...KINDS.flatMap(eventsOf),
    "## Annotations",
    "",
    ...table(
      ["annotation", "on", "value", "meaning"],
      Object.values(ANNOTATIONS).map(({ name, kind, value, meaning }) => [`\`${name}\``, kind, value, meaning]),
    ),
    "```sh",
    `kubectl annotate jobqueue mailers --overwrite ${ANNOTATIONS.recoverRequested.name}="$(date)"`,
    `kubectl get jobqueue mailers -o jsonpath='{.status.handledRequests.recover}'   # the same text: it is done`,
    "```",
    "",
  ];
  return format(lines.join("\n"), { parser: "markdown", printWidth: 120 });
}
