import manifest from "../package.json" with { type: "json" };

/** Version of this package, as the worker reports it to the store. */
export const VERSION: string = manifest.version;
