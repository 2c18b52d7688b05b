import { ACCESS } from "./table/access.ts";
import { ACTING } from "./table/acting.ts";
import { ENQUEUEING } from "./table/enqueueing.ts";
import { LOOKING } from "./table/looking.ts";
import { PROGRAMS } from "./table/programs.ts";
import { QUEUES } from "./table/queues.ts";
import { SCHEDULES } from "./table/schedules.ts";
import type { Verb, VerbGroup } from "./verb.ts";

/** The verbs by what they are for, in the order of the help. */
export const VERB_GROUPS: readonly VerbGroup[] = [
  { title: "Look", verbs: LOOKING },
  { title: "Jobs", verbs: [...ENQUEUEING, ...ACTING] },
  { title: "Queues", verbs: QUEUES },
  { title: "Schedules", verbs: SCHEDULES },
  { title: "Access", verbs: ACCESS },
  { title: "Install and run", verbs: PROGRAMS },
];

/** Every verb of the command. Parsing, help and reference are made from this table. */
export const VERBS: readonly Verb[] = VERB_GROUPS.flatMap((group) => group.verbs);
