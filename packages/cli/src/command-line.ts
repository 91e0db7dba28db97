/** The command line as it was typed, written so that a shell reads it back: what a remedy tells people to run again. Pure. */
import { quoted } from './workflow/rules/shell-word.ts';

/** Writes a command again; `feature` takes the place of the one that was named, or is added. */
export type Retype = (feature?: string) => string;

/** For the command `id` (words joined by colons) with its further words. */
export function retyper(bin: string, id: string, argv: readonly string[]): Retype {
  return (feature) => {
    const words = feature === undefined ? argv : [...withoutFeature(argv), '--feature', feature];
    return [bin, ...id.split(':'), ...words.map(quoted)].join(' ');
  };
}

function withoutFeature(argv: readonly string[]): readonly string[] {
  return argv.filter((word, index) => {
    const isValue = index > 0 && /^(?:-f|--feature)$/.test(argv[index - 1] ?? '');
    return !isValue && !/^(?:-f.*|--feature(?:=.*)?)$/s.test(word);
  });
}
