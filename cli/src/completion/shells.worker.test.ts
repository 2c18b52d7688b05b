import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../../test/cluster/command.ts";
import { BINARY } from "../testing/run-jobqueue.ts";

/** Types each argument and a tab into an interactive zsh on a terminal of its own, and prints what the line is then (Ctrl-X). */
const TYPED = String.raw`
zmodload zsh/zpty
zpty person zsh -f -i
type() { zpty -w -n person "$1" }
type $'PS1= PROMPT2=; unsetopt zle_bracketed_paste beep; autoload -Uz compinit && compinit -u -D && source <(jobqueue completion zsh)\n'
type $'show() { print -r -- "<<$BUFFER>>"; BUFFER= }; zle -N show; bindkey "^X" show; print loaded $?-ok\n'
zpty -r person out '*loaded 0-ok*'
for line in "$@"; do
  type "$line"$'\t\x18'
  zpty -r person out '*<<*>>*'
  print -r -- "${"$"}{${"$"}{out##*<<}%%>>*}"
done
zpty -d person
`;

describe("the lines of the help, in the shells themselves", () => {
  /** The home of whoever uses the shell; the command keeps its cache there. */
  let directory: string;
  /** The shells as people have them, with the command on their path. */
  let env: Readonly<Record<string, string>>;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "jobqueue-completion-"));
    env = { PATH: `${dirname(BINARY)}:${process.env["PATH"]}`, HOME: directory };
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it("bash loads the script, and completes jobqueue and kubectl-jobqueue with it", async () => {
    const asked = `source <(jobqueue completion bash) || exit 9
      complete -p jobqueue kubectl-jobqueue
      COMP_WORDS=(jobqueue recover); COMP_CWORD=1; _jobqueue; echo "\${COMPREPLY[@]}"
      COMP_WORDS=(jobqueue schedule pause nightly --re); COMP_CWORD=4; _jobqueue; echo "\${COMPREPLY[@]}"`;
    expect((await run("bash", ["--norc", "-c", asked], { env })).split("\n")).toEqual([
      "complete -F _jobqueue jobqueue",
      "complete -F _jobqueue kubectl-jobqueue",
      "recover-stale",
      "--reason",
      "",
    ]);
  });

  it("zsh loads the script, and inserts verbs, second words, flags and choices with it, as somebody types", async () => {
    const lines = [
      "jobqueue recover",
      "jobqueue schedule pa",
      "jobqueue pause mailers --rea",
      "kubectl-jobqueue recover",
    ];
    const choices = [
      "jobqueue status --output js",
      "jobqueue jobs --state sch",
      "jobqueue schedule pause nightly --fo",
    ];
    expect((await run("zsh", ["-f", "-c", TYPED, "zsh", ...lines, ...choices], { env })).split("\n")).toEqual([
      "jobqueue recover-stale ",
      "jobqueue schedule pause ",
      "jobqueue pause mailers --reason=",
      "kubectl-jobqueue recover-stale ",
      "jobqueue status --output json ",
      "jobqueue jobs --state scheduled ",
      "jobqueue schedule pause nightly --fo",
      "",
    ]);
  });

  it("fish loads the script, and offers verbs, second words, flags and choices with it", async () => {
    const offers = async (line: string): Promise<string[]> => {
      const asked = `jobqueue completion fish | source; complete -C ${JSON.stringify(line)}`;
      const said = await run("fish", ["--no-config", "-c", asked], { env });
      return said
        .split("\n")
        .filter(Boolean)
        .map((offer) => offer.split("\t")[0] ?? "");
    };
    expect(await offers("jobqueue recover")).toEqual(["recover-stale"]);
    expect((await offers("jobqueue schedule p")).toSorted()).toEqual(["pause", "preview", "put"]);
    expect(await offers("jobqueue pause mailers --rea")).toEqual(["--reason"]);
    expect(await offers("jobqueue schedule pause nightly --fo")).toEqual([]);
    expect(await offers("kubectl-jobqueue recover")).toEqual(["recover-stale"]);
    expect((await offers("jobqueue status --output ")).toSorted()).toEqual(["json", "name", "table", "yaml"]);
    expect(await offers("jobqueue jobs --state sch")).toEqual(["scheduled"]);
  });
});
