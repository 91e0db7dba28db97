/** Chance as the core takes it when its caller names none: numbers in [0, 1) from the runtime's own generator. */
export function systemChance(): number {
  const [bits = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1));
  return bits / 2 ** 32;
}
