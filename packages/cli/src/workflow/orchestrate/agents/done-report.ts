/** Which subtasks an agent says it has finished. Pure. */

/** Ids of all lines `DONE T001 T002`, each once, in order. Words in between are no ids; a sentence that begins with "Done" names none. */
export function readDoneReport(text: string): readonly string[] {
  const ids = new Set<string>();
  for (const line of text.split(/\r?\n|\r/)) {
    const rest = /^[\s>*_#`~-]{0,20}DONE\b:?((?:[\s,`*]{1,4}T\d{1,6}\b)+)[\s.`*]*$/.exec(line.slice(0, 4_000))?.[1];
    for (const id of rest?.match(/T\d+/g) ?? []) ids.add(id);
  }
  return [...ids];
}
