import type { Job, Worker } from "./answers.ts";
import { ask } from "./api.ts";
import { bulkButtons, type BulkFilter } from "./bulk-acts.ts";
import { h, put } from "./dom.ts";
import { count, instant } from "./format.ts";
import { bulkFilter, narrowed, PAGE_SIZE, pageOf, queryOf, sortingOf } from "./items-query.ts";
import { actButtons } from "./job-acts.ts";
import { failure, loading, nothingHere } from "./notices.ts";
import type { PageContext } from "./page.ts";
import { placeLink } from "./page-url.ts";
import { payloadButton } from "./payload-viewer.ts";
import { showAnswer } from "./show-answer.ts";
import { stateBadge } from "./state-badge.ts";
import { Table, writeSorting } from "./table.ts";

/** What the store took for an answer it is left alone for so many times as long. */
const REST = 4;

/** The list of items: pages of it, what is selected, and what can be done to one, to those selected, and to all that match. */
export class ItemList {
  readonly element = h("div");
  readonly #context: PageContext;
  readonly #body = h("div", {}, loading("the items"));
  readonly #pages = h("nav", { class: "pages", "aria-label": "Pages" });
  readonly #selectedCount = h("span", { "aria-live": "polite" });
  readonly #selected = new Set<string>();
  readonly #table: Table<Job>;
  #hosts: ReadonlyMap<string, string | null> = new Map();
  #shown: readonly Job[] = [];
  /** Of answers that come in another order than they were asked for, only the last counts. */
  #asked = 0;
  /** Until when a change is no reason to ask again; milliseconds since 1970. */
  #restsUntil = 0;

  constructor(context: PageContext) {
    this.#context = context;
    const { filters, live, signal } = context;
    this.#table = new Table<Job>({
      caption: "Queue items",
      rowKey: ({ id }) => id,
      sorting: sortingOf(filters),
      onSort: (sorting) => {
        filters.set("sort", writeSorting(sorting));
        filters.set("page", "");
        this.load();
      },
      columns: [
        { name: "select", title: "Select", cell: (job) => this.#checkbox(job) },
        { name: "id", title: "Item", heading: true, cell: ({ id }) => h("a", { href: placeLink("jobs", id) }, id) },
        {
          name: "created",
          title: "Created",
          sortable: true,
          cell: ({ createdAt }) => h("time", { datetime: createdAt }, instant(createdAt)),
        },
        {
          name: "queue",
          title: "Queue",
          sortable: true,
          cell: ({ queue }) => h("a", { href: placeLink("queues", queue) }, queue),
        },
        { name: "kind", title: "Type", sortable: true, cell: ({ kind }) => kind },
        { name: "active", title: "Active", sortable: true, cell: stateBadge },
        { name: "payload", title: "Payload", cell: ({ id }) => payloadButton(id) },
        { name: "worker", title: "Hostname", sortable: true, cell: (job) => this.#host(job) },
        { name: "acts", title: "Actions", cell: (job) => h("span", { class: "acts" }, ...actButtons(job, this.load)) },
      ],
    });
    live.follow("workers", signal, ({ workers }: { workers: readonly Worker[] }) => {
      this.#hosts = new Map(workers.map(({ id, node, hostname, pod }) => [id, node ?? hostname ?? pod]));
    });
    put(this.element, this.#bulkBar(), this.#body, this.#pages);
  }

  /** Asks for what the filters say now. */
  readonly load = (): void => {
    this.#selected.clear();
    this.refresh();
  };

  /** Asks again for the same; what is selected stays so. */
  readonly refresh = (): void => {
    const { filters, signal } = this.#context;
    const asked = ++this.#asked;
    const begun = Date.now();
    this.#restsUntil = Number.POSITIVE_INFINITY;
    void showAnswer(
      ask<{ jobs: readonly Job[] }>("GET", "api/v1/jobs", { query: queryOf(filters), signal }),
      signal,
      ({ jobs }) => {
        if (asked !== this.#asked) return;
        this.#rest(begun);
        this.#draw(jobs);
      },
      (error: unknown) => {
        if (asked !== this.#asked) return;
        this.#rest(begun);
        put(this.#body, failure(error, this.load));
      },
    );
  };

  /** Asks again because something changed; unless the list costs so much that those who watch it would wear the store out. */
  readonly follow = (): void => {
    if (Date.now() >= this.#restsUntil) this.refresh();
  };

  #rest(begun: number): void {
    this.#restsUntil = Date.now() + REST * (Date.now() - begun);
  }

  #draw(jobs: readonly Job[]): void {
    const { filters } = this.#context;
    const page = pageOf(filters);
    this.#shown = jobs.slice(0, PAGE_SIZE);
    if (jobs.length === 0) {
      const filtered = Object.keys(narrowed(filters)).length > 0 || filters.get("state") !== "";
      put(
        this.#body,
        filtered || page > 1
          ? nothingHere(
              "No item fits.",
              h("a", { href: placeLink("items") }, "Show everything that has not ended"),
              ".",
            )
          : nothingHere("The queues are empty.", "Nothing waits and nothing runs."),
      );
    } else {
      if (!this.#body.contains(this.#table.element)) put(this.#body, this.#table.element);
      this.#table.draw(this.#shown);
    }
    const turn = (to: number): void => {
      filters.set("page", to === 1 ? "" : String(to));
      this.load();
    };
    put(
      this.#pages,
      h("button", { type: "button", disabled: page === 1, onclick: () => turn(page - 1) }, "Previous page"),
      h("span", {}, ` Page ${count(page)} `),
      h("button", { type: "button", disabled: jobs.length <= PAGE_SIZE, onclick: () => turn(page + 1) }, "Next page"),
    );
    this.#saySelected();
  }

  #host({ state, workerId, lockedBy }: Job): string {
    if (state !== "running") return "–";
    return this.#hosts.get(workerId ?? "") ?? lockedBy ?? "–";
  }

  #checkbox({ id }: Job): HTMLElement {
    const box = h("input", { type: "checkbox", checked: this.#selected.has(id), "aria-label": `Select job ${id}` });
    box.addEventListener("change", () => {
      if (box.checked) this.#selected.add(id);
      else this.#selected.delete(id);
      this.#saySelected();
    });
    return box;
  }

  #saySelected(): void {
    const text = this.#selected.size === 0 ? "None selected." : `${count(this.#selected.size)} selected.`;
    if (this.#selectedCount.textContent !== text) put(this.#selectedCount, text);
  }

  #bulkBar(): HTMLElement {
    const selectAll = (): void => {
      const all = this.#shown.every(({ id }) => this.#selected.has(id));
      for (const { id } of this.#shown) {
        if (all) this.#selected.delete(id);
        else this.#selected.add(id);
      }
      this.#table.draw(this.#shown);
      this.#saySelected();
    };
    const chosen = (): BulkFilter | string =>
      this.#selected.size === 0
        ? "Nothing is selected: tick the boxes of some items first."
        : { ids: [...this.#selected] };
    const selected = bulkButtons("selected", chosen, this.load);
    if (selected.length === 0) return h("div");
    return h(
      "div",
      { class: "bulk" },
      h(
        "div",
        { role: "group", "aria-label": "Selected items" },
        h("button", { type: "button", onclick: selectAll }, "Select this page, or none"),
        this.#selectedCount,
        ...selected,
      ),
      h(
        "div",
        { role: "group", "aria-label": "All items that the filter means" },
        ...bulkButtons("all that match", (act) => bulkFilter(this.#context.filters, act), this.load),
      ),
    );
  }
}
