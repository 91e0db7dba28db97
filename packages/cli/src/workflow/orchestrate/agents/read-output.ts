/**
 * What an agent answered, in each form agents answer in. Their output is not ours: whatever comes, however large,
 * broken or nested, is read in bounded time and memory, and never throws. Pure.
 */
import type { OutputForm } from './agent-spec.ts';
import { allText, entriesAt, record, stringsAt, textAt, type JsonRecord } from './json-facts.ts';

/** The facts of one answer. Lists are bounded, and say only what the agent says. */
export interface AgentOutput {
  /** The agent's last words: where a verdict and a report of subtasks stand. At most 256 KiB, the end of it. */
  readonly finalText: string;
  readonly files: readonly string[];
  readonly commits: readonly string[];
  readonly errors: readonly string[];
  /** True when the agent itself says that it failed, whatever its exit code. */
  readonly reportsFailure: boolean;
}

const MAX_FINAL_LENGTH = 256 * 1024;
const MAX_LIST = 500;
const MAX_ITEM_LENGTH = 2_000;
const MAX_LINES = 20_000;
/** An exception a line makes broken lines a hundred times as slow as good ones. */
const MAX_BROKEN_LINES = 1_000;

const FILE_KEYS = ['files', 'files_modified', 'modified_files', 'changedFiles'];
const COMMIT_KEYS = ['commits', 'commits_made', 'commitShas', 'commit_hashes'];
const TEXT_KEYS = ['result', 'response', 'text', 'message', 'content', 'output', 'final', 'final_text'];

/** Reads `stdout` as `form` says. Text that is not in that form counts as plain text. */
export function readOutput(form: OutputForm, stdout: string): AgentOutput {
  const facts = form === 'text' ? readText(stdout) : readJsonForm(form, stdout);
  const bounded = (items: readonly string[] | undefined): readonly string[] =>
    [...new Set(items)].slice(0, MAX_LIST).map((item) => item.slice(0, MAX_ITEM_LENGTH));
  return {
    finalText: (facts.finalText ?? '').slice(-MAX_FINAL_LENGTH),
    files: bounded(facts.files),
    commits: bounded(facts.commits),
    errors: bounded(facts.errors),
    reportsFailure: facts.reportsFailure ?? false,
  };
}

type Facts = Partial<AgentOutput>;

function readJsonForm(form: Exclude<OutputForm, 'text'>, stdout: string): Facts {
  switch (form) {
    case 'json':
    case 'claude-json': {
      const result = resultOf(stdout);
      return result === undefined ? { finalText: stdout } : generic(result);
    }
    case 'jsonl':
    case 'codex-jsonl':
    case 'opencode-jsonl': {
      const events = jsonLines(stdout);
      if (events.length === 0) return { finalText: stdout };
      return form === 'jsonl' ? genericEvents(events) : form === 'codex-jsonl' ? codex(events) : opencode(events);
    }
    default:
      return form satisfies never;
  }
}

/** One object; or, of a list of messages, the one that is the result. Else the last line that is JSON. */
function resultOf(stdout: string): JsonRecord | undefined {
  const whole = parse(stdout);
  if (Array.isArray(whole)) {
    const records = whole.map(record);
    return records.findLast((each) => each?.['type'] === 'result') ?? records.findLast((each) => each !== undefined);
  }
  return record(whole) ?? jsonLines(stdout).at(-1);
}

function generic(answer: JsonRecord): Facts {
  const inner = record(answer['result']) ?? {};
  const errors = [...errorTexts(answer), ...errorTexts(inner)];
  const finalText = textAt(inner, TEXT_KEYS) ?? textAt(answer, TEXT_KEYS);
  const isError = answer['is_error'] === true || ['error', 'failed'].includes(String(answer['status']));
  // claude says why in `result`, or only in `subtype`.
  if (isError && errors.length === 0) errors.push(finalText ?? textAt(answer, ['subtype', 'status']) ?? 'error');
  return {
    finalText: finalText ?? '',
    files: [...stringsAt(answer, FILE_KEYS), ...stringsAt(inner, FILE_KEYS)],
    commits: [...stringsAt(answer, COMMIT_KEYS), ...stringsAt(inner, COMMIT_KEYS)],
    errors,
    reportsFailure: isError || errors.length > 0,
  };
}

function genericEvents(events: readonly JsonRecord[]): Facts {
  const all = events.map(generic);
  return {
    finalText: all.findLast(({ finalText }) => finalText !== '')?.finalText ?? '',
    files: all.flatMap(({ files }) => files ?? []),
    commits: all.flatMap(({ commits }) => commits ?? []),
    errors: all.flatMap(({ errors }) => errors ?? []),
    // An error on the way may have been overcome; the last event says how it ended.
    reportsFailure: all.at(-1)?.reportsFailure ?? false,
  };
}

/** `codex exec --json`: items and turns. Versions before items wrap each event in `msg`. */
function codex(events: readonly JsonRecord[]): Facts {
  let finalText = '';
  let reportsFailure = false;
  const files: string[] = [];
  const errors: string[] = [];
  for (const event of events) {
    const body = record(event['msg']) ?? event;
    const item = record(body['item']) ?? body;
    const kind = String(body['type']);
    if (item['type'] === 'agent_message' && kind !== 'item.started')
      finalText = textAt(item, ['text', 'message']) ?? finalText;
    if (item['type'] === 'file_change')
      files.push(...entriesAt(item, 'changes').flatMap((each) => stringsAt(each, ['path'])));
    if (kind === 'turn.completed' || kind === 'task_complete') reportsFailure = false;
    if (kind === 'turn.failed' || kind === 'error' || body['status'] === 'error') {
      reportsFailure = true;
      errors.push(...errorTexts(body), ...stringsAt(body, ['message']));
    }
  }
  return { finalText, files, errors, reportsFailure };
}

/** `opencode run --format json`: parts, each told again whenever it grows. */
function opencode(events: readonly JsonRecord[]): Facts {
  const texts = new Map<string, string>();
  const files: string[] = [];
  const commits: string[] = [];
  const errors: string[] = [];
  events.forEach((event, at) => {
    const part = record(event['part']) ?? {};
    if (event['type'] === 'text') texts.set(textAt(part, ['id']) ?? `#${at}`, textAt(part, ['text']) ?? '');
    if (event['type'] === 'error') {
      const error = record(event['error']) ?? {};
      const words = [textAt(error, ['name']), textAt(record(error['data']) ?? error, ['message'])];
      errors.push(words.filter((word) => word !== undefined).join(': ') || 'error');
    }
    if (event['type'] !== 'tool_use') return;
    const state = record(part['state']) ?? {};
    const input = record(state['input']) ?? {};
    if (['edit', 'write'].includes(String(part['tool'])))
      files.push(...stringsAt(input, ['filePath', 'file_path', 'path']));
    if (part['tool'] === 'bash' && textAt(input, ['command'])?.includes('git commit') === true)
      commits.push(...((textAt(state, ['output']) ?? '').slice(0, 20_000).match(/\b[0-9a-f]{40}\b/g) ?? []));
  });
  return { finalText: [...texts.values()].join('\n'), files, commits, errors, reportsFailure: errors.length > 0 };
}

/** Plain text: files it says it has written. */
function readText(stdout: string): Facts {
  const said = stdout
    .slice(-MAX_FINAL_LENGTH)
    .matchAll(/\b(?:created|modified|updated|wrote|edited)[ \t]{1,4}[`"']?([\w@./-]{1,300})/gi);
  const files = [...said]
    .map((match) => (match[1] ?? '').replace(/[.-]+$/, ''))
    .filter((name) => /[^/.]\.\w{1,10}$/.test(name));
  return { finalText: stdout, files };
}

function errorTexts(value: JsonRecord): readonly string[] {
  const { error } = value;
  const listed = stringsAt(value, ['errors']);
  if (typeof error === 'string' && error !== '') return [error, ...listed];
  const inner = record(error);
  return inner === undefined
    ? listed
    : [textAt(inner, ['message', 'type', 'code', 'name']) ?? allText(inner), ...listed];
}

/** The last lines that are JSON objects, in order. */
function jsonLines(stdout: string): readonly JsonRecord[] {
  const found: JsonRecord[] = [];
  let failures = 0;
  const candidates = stdout.split('\n').filter((line) => /^\s{0,20}\{/.test(line));
  for (const line of candidates.slice(-MAX_LINES).toReversed()) {
    const value = record(parse(line));
    if (value !== undefined) found.push(value);
    else if ((failures += 1) >= MAX_BROKEN_LINES) break;
  }
  return found.toReversed();
}

function parse(text: string): unknown {
  const start = /^[\s\uFEFF]*/.exec(text)?.[0].length ?? 0;
  if (text[start] !== '{' && text[start] !== '[') return undefined;
  try {
    return JSON.parse(text.slice(start));
  } catch {
    // Not JSON, or nested deeper than the parser goes.
    return undefined;
  }
}
