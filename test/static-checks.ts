/** One check of the static level: a command that must exit 0. */
export interface StaticCheck {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The command that mends what the check found, when there is one. */
  readonly remedy?: string;
}

/** What holds without running the product: types, promises, format, dead code, generated files, the chart. */
export const STATIC_CHECKS: readonly StaticCheck[] = [
  { name: "types (tsc)", command: "tsc", args: ["-p", "tsconfig.json"] },
  { name: "types of the dashboard (tsc)", command: "tsc", args: ["-p", "admin/dashboard/tsconfig.json"] },
  { name: "lint, promises included (oxlint)", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "format (prettier)", command: "prettier", args: ["--check", "."], remedy: "npx prettier --write ." },
  { name: "dead code and dependencies (knip)", command: "knip", args: [] },
  {
    name: "generated files are up to date",
    command: "node",
    args: ["test/generate.ts", "--check"],
    remedy: "make generate",
  },
];
