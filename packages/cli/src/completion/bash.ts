/** Completion for bash, from 3.2 on (the one of macOS). Needs no helper script of a distribution. Pure. */
import { type Place, singleQuoted, spellings } from './table.ts';

/** The script. */
export function bashCompletion(bin: string, table: readonly Place[]): string {
  const name = `_${bin.replaceAll('-', '_')}`;
  const next = table.map(({ words, next: below }) =>
    row(
      words,
      below.map((each) => each.name),
    ),
  );
  const flags = table.map(({ words, flags: all }) => row(words, all.flatMap(spellings)));
  const values = table.flatMap(({ words, flags: all }) =>
    all.flatMap((flag) => {
      if (flag.value === undefined) return [];
      const keys = spellings(flag).map((spelling) => singleQuoted(`${words} ${spelling}`));
      const kind = flag.value.isFile ? 'file' : `words ${flag.value.oneOf.join(' ')}`;
      return [`    ${keys.join('|')}) echo ${singleQuoted(kind.trim())} ;;\n`];
    }),
  );
  return `# Completion for ${bin}. Put this into ~/.bashrc: source <(${bin} completion bash)

${name}_next() {
  case "$1" in
${next.join('')}  esac
}

${name}_flags() {
  case "$1" in
${flags.join('')}  esac
}

${name}_values() {
  case "$1" in
${values.join('')}  esac
}

${name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" place="" word values i
  COMPREPLY=()
  # bash parts --flag=value into three words.
  if [[ "$cur" == "=" ]]; then cur=""
  elif [[ "$prev" == "=" ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ "$word" == -* ]] && continue
    case " $(${name}_next "$place") " in
      *" $word "*) place="\${place:+$place }$word" ;;
      *) break ;;
    esac
  done
  values="$(${name}_values "$place $prev")"
  case "$values" in
    file) COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null ;;
    words*) COMPREPLY=($(compgen -W "\${values#words}" -- "$cur")) ;;
    *)
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W "$(${name}_flags "$place")" -- "$cur"))
      else COMPREPLY=($(compgen -W "$(${name}_next "$place")" -- "$cur")); fi ;;
  esac
}

complete -F ${name} ${bin}
`;
}

function row(words: string, all: readonly string[]): string {
  return all.length === 0 ? '' : `    ${singleQuoted(words)}) echo ${singleQuoted(all.join(' '))} ;;\n`;
}
