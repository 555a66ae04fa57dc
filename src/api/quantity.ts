/** Kubernetes quantities (`10Gi`, `1500M`, `1e9`) as whole bytes. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
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
  m: 1e-3,
  u: 1e-6,
  n: 1e-9,
};

/** Bytes of a quantity, rounded up as Kubernetes does; 0 for what is not a quantity. */
export function bytesOf(quantity: unknown): number {
  if (typeof quantity === 'number') return Math.ceil(quantity);
  const match = typeof quantity === 'string' ? /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(quantity) : null;
  const unit = UNITS[match?.[2] ?? ''];
  const number = Number(match?.[1]);
  return match === null || unit === undefined || Number.isNaN(number) ? 0 : Math.ceil(number * unit);
}

/** Thousandths of a quantity (`250m`, `2`): how Kubernetes counts processors; rounded up. */
export function milliOf(quantity: unknown): number {
  if (typeof quantity === 'number') return Math.ceil(quantity * 1000);
  const match = typeof quantity === 'string' ? /^([\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(quantity) : null;
  const unit = UNITS[match?.[2] ?? ''];
  const number = Number(match?.[1]);
  return match === null || unit === undefined || Number.isNaN(number) ? 0 : Math.ceil(number * unit * 1000 - 1e-6);
}
