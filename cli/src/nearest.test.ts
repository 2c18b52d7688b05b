import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";

const VERBS = [
  "enqueue",
  "status",
  "jobs",
  "job",
  "pause",
  "resume",
  "migrate",
  "worker",
  "operator",
  "version",
  "help",
];

describe("the nearest word", () => {
  it.each([
    ["statsu", "status"],
    ["stat", "status"],
    ["puase", "pause"],
    ["enque", "enqueue"],
    ["resumee", "resume"],
    ["halp", "help"],
    ["jobz", "jobs"],
    ["migration", "migrate"],
  ])("for %s is %s", (word, wanted) => {
    expect(nearest(word, VERBS)).toBe(wanted);
  });

  it.each(["delete", "x", "", "kubernetes"])("is none for %j, which resembles nothing", (word) => {
    expect(nearest(word, VERBS)).toBeUndefined();
  });
});
