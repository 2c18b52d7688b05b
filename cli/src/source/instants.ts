/** Names of the fields that are instants. */
type InstantName<T> = {
  [Name in keyof T]-?: Extract<T[Name], Date> extends never ? never : Name;
}[keyof T] &
  string;

/** A value of the store as it is in JSON: instants are texts. */
export type InJson<T> = {
  readonly [Name in keyof T]: Extract<T[Name], Date> extends never ? T[Name] : Exclude<T[Name], Date> | string;
};

/** Makes values of the store of JSON. The compiler refuses a list of instants that lacks one, or has one too many. */
export function withInstants<T>(names: Readonly<Record<InstantName<T>, true>>): (json: InJson<T>) => T {
  return (json) => {
    const instants = Object.keys(names).map((name) => {
      const text = (json as Readonly<Record<string, string | null>>)[name];
      return [name, typeof text === "string" ? new Date(text) : text] as const;
    });
    return { ...json, ...Object.fromEntries(instants) } as T;
  };
}
