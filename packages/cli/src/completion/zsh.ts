/** Completion for zsh, with a word about each suggestion. Pure. */
import { type FlagRow, type Place, singleQuoted, spellings } from './table.ts';

/** The script: to be sourced, or put into a folder of \`fpath\` as \`_spec-kitty\`. */
export function zshCompletion(bin: string, table: readonly Place[]): string {
  const name = `_${bin.replaceAll('-', '_')}`;
  const next = table.map(({ words, next: below }) =>
    row(
      words,
      below.map((each) => described(each.name, each.summary)),
    ),
  );
  const flags = table.map(({ words, flags: all }) =>
    row(
      words,
      all.flatMap((flag) => spellings(flag).map((spelling) => described(spelling, flag.summary))),
    ),
  );
  const values = table.flatMap(({ words, flags: all }) => all.flatMap((flag) => valueRow(words, flag)));
  return `#compdef ${bin}
# Completion for ${bin}. Put this into ~/.zshrc, behind compinit: source <(${bin} completion zsh)

${name}() {
  local place="" word i kind
  local -a next flags values names
  ${name}_next ""
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    [[ "$word" == -* ]] && continue
    names=("\${(@)next%%:*}")
    (( \${names[(Ie)$word]} )) || break
    place="\${place:+$place }$word"
    ${name}_next "$place"
  done
  ${name}_values "$place \${words[CURRENT-1]}"
  if [[ "$PREFIX" == --*=* ]]; then
    ${name}_values "$place \${PREFIX%%=*}"
    compset -P '*='
  fi
  case "$kind" in
    file) _files ;;
    words) (( \${#values} )) && _describe 'value' values ;;
    *)
      if [[ "$PREFIX" == -* ]]; then ${name}_flags "$place"; _describe 'flag' flags
      elif (( \${#next} )); then _describe 'command' next; fi ;;
  esac
}

${name}_next() {
  next=()
  case "$1" in
${next.map((each) => each.replace('REPLY', 'next')).join('')}  esac
}

${name}_flags() {
  flags=()
  case "$1" in
${flags.map((each) => each.replace('REPLY', 'flags')).join('')}  esac
}

${name}_values() {
  case "$1" in
${values.join('')}  esac
}

if [[ "\${funcstack[1]}" == "_${bin}" ]]; then ${name} "$@"
elif (( \${+functions[compdef]} )); then compdef ${name} ${bin}; fi
`;
}

/** Before the colon the word itself, behind it what is said about it. */
function described(word: string, summary: string): string {
  return singleQuoted(summary === '' ? word : `${word}:${summary}`);
}

function row(words: string, all: readonly string[]): string {
  return all.length === 0 ? '' : `    ${singleQuoted(words)}) REPLY=(${all.join(' ')}) ;;\n`;
}

function valueRow(words: string, flag: FlagRow): readonly string[] {
  if (flag.value === undefined) return [];
  const keys = spellings(flag).map((spelling) => singleQuoted(`${words} ${spelling}`));
  const set = flag.value.isFile ? 'kind=file' : `kind=words; values=(${flag.value.oneOf.map(singleQuoted).join(' ')})`;
  return [`    ${keys.join('|')}) ${set} ;;\n`];
}
