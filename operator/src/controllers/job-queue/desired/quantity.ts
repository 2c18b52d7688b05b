const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * Whether two texts are the same amount: the API server stores "0.5" as "500m" and "1024Mi" as "1Gi". Text that is no
 * quantity is equal to nothing. Source: apimachinery `pkg/api/resource`, Quantity.
 */
export function sameQuantity(a: unknown, b: unknown): boolean {
  const [x, y] = [amountOf(a), amountOf(b)];
  // Relative, because a thousandth has no exact binary form.
  return x !== undefined && y !== undefined && Math.abs(x - y) <= 1e-9 * Math.max(Math.abs(x), Math.abs(y));
}

function amountOf(quantity: unknown): number | undefined {
  const match = /^([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(String(quantity));
  const factor = SUFFIXES[match?.[3] ?? ""];
  const number = Number(`${match?.[1] ?? ""}${match?.[2] ?? ""}`);
  return match && factor !== undefined && Number.isFinite(number) ? number * factor : undefined;
}
