/** What to answer to words that are no command. Pure. */
import { shown, UsageError } from './failure.ts';
import { closest } from './suggest.ts';

/** The error for `id` (words joined by colons), given the ids there are. */
export function unknownCommand(id: string, ids: readonly string[], bin: string): UsageError {
  const words = id.split(':').filter((word) => word !== '');
  for (let length = words.length - 1; length > 0; length -= 1) {
    const command = words.slice(0, length);
    if (!ids.includes(command.join(':'))) continue;
    const name = command.join(' ');
    // Not repeated: what stands behind `auth login` may be a password.
    return new UsageError(`\`${name}\` takes no arguments.`, `See \`${bin} ${name} --help\`.`);
  }
  const typed = words.map(shown).join(' ');
  const known = ids.map((each) => each.replaceAll(':', ' '));
  const meant = closest(words.join(' '), known);
  const remedy = meant === null ? `See \`${bin} --help\` for what there is.` : `Did you mean \`${bin} ${meant}\`?`;
  return new UsageError(
    typed.startsWith('-') ? `Unknown flag: ${typed.replace(/=.*$/s, '')}` : `Unknown command: ${typed}`,
    remedy,
  );
}
