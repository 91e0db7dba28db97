/** Colour, where it is wanted: NO_COLOR and FORCE_COLOR are obeyed, otherwise only a terminal gets any. Pure. */

const CODES = { red: [31, 39], green: [32, 39], yellow: [33, 39], bold: [1, 22], dim: [2, 22] } as const;

export type Style = keyof typeof CODES;

/** Writes a text in a style, or as it is. */
export type Paint = (style: Style, text: string) => string;

/** Whether to colour: FORCE_COLOR (but not `0`) beats NO_COLOR, which beats the terminal. */
export function isColourful(env: NodeJS.ProcessEnv, isTTY: boolean): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return isTTY && env['TERM'] !== 'dumb';
}

/** The painter for an output that wants colour or not. */
export function painter(colourful: boolean): Paint {
  if (!colourful) return (_style, text) => text;
  return (style, text) => {
    const [on, off] = CODES[style];
    return `\u001B[${on}m${text}\u001B[${off}m`;
  };
}

/** No colour. */
export const plain: Paint = painter(false);
