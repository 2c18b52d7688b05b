import manifest from "../package.json" with { type: "json" };

/** Version of this package, as the OpenAPI document says it. */
export const VERSION: string = manifest.version;
