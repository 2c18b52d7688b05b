import type { Bench } from "./bench.ts";
import { B1 } from "./benches/b1-drain.ts";
import { B11 } from "./benches/b11-admin-api.ts";
import { B2 } from "./benches/b2-history.ts";
import { B3 } from "./benches/b3-latency.ts";
import { B7 } from "./benches/b7-idle-workers.ts";
import { B8 } from "./benches/b8-enqueue.ts";
import { B9 } from "./benches/b9-fairness.ts";
import { B10 } from "./benches/b10-operator.ts";

/** All benches, in the order they run. */
export const BENCHES: readonly Bench[] = [B1, B2, B3, B7, B8, B9, B10, B11];
