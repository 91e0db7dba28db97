/** Completion for fish, from 3.0 on. Pure. */
import { type FlagRow, type Place, singleQuoted } from './table.ts';

/** The script. */
export function fishCompletion(bin: string, table: readonly Place[]): string {
  const name = `__${bin.replaceAll('-', '_')}`;
  const at = (words: string): string => `complete -c ${bin} -n ${singleQuoted(`${name}_at "${words}"`)}`;
  const rows = table.flatMap(({ words, next, flags }) => [
    ...next.map((each) => `${at(words)} -a ${singleQuoted(each.name)}${about(each.summary)}`),
    ...flags.flatMap((flag) => flagRows(flag).map((row) => `${at(words)} ${row}`)),
  ]);
  const places = table.filter(({ words }) => words !== '').map(({ words }) => singleQuoted(words));
  return `# Completion for ${bin}. Put this into config.fish: ${bin} completion fish | source

set -g ${name}_places ${places.join(' ')}

function ${name}_at --description 'Whether the words so far name this command'
  set -l place ''
  for word in (commandline -opc)[2..-1]
    if string match -q -- '-*' $word
      continue
    end
    set -l next (string trim -- "$place $word")
    if contains -- "$next" $${name}_places
      set place "$next"
    else
      break
    end
  end
  test "$place" = "$argv[1]"
end

complete -c ${bin} -f
${rows.join('\n')}
`;
}

function flagRows({ long, short, summary, value }: FlagRow): readonly string[] {
  const takes = valueOptions(value);
  return long.map(
    (name, index) => `-l ${name}${index === 0 && short !== undefined ? ` -s ${short}` : ''}${takes}${about(summary)}`,
  );
}

function valueOptions(value: FlagRow['value']): string {
  if (value === undefined) return '';
  if (value.isFile) return ' -r -F';
  return value.oneOf.length === 0 ? ' -x' : ` -x -a ${singleQuoted(value.oneOf.join(' '))}`;
}

const about = (summary: string): string => (summary === '' ? '' : ` -d ${singleQuoted(summary)}`);
