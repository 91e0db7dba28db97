/** Takes out of a text what must not leave the machine or reach a log: home folders, tokens, length. Pure. */
import { homedir } from 'node:os';

const MAX_MESSAGE_LENGTH = 500;
const MAX_FRAMES = 20;

/** Three base64url parts: a JWT. Also `Bearer …` and `token=…`, whatever the token looks like. */
const TOKEN_PATTERNS: readonly RegExp[] = [
  /\beyJ[\w-]*\.[\w-]+\.[\w-]*/g,
  /(?<=\bBearer\s+)[^\s,;'"]+/gi,
  /(?<=\b(?:token|password|secret)\s*[=:]\s*)[^\s,;'"]+/gi,
  // User name and password inside an address.
  /(?<=:\/\/)[^\s/@]+@/g,
];

/** The text with home folders as `~`, tokens masked, and at most 500 characters. */
export function redact(text: string, home: string = homedir()): string {
  let safe = home.length > 1 ? text.replaceAll(home, '~') : text;
  for (const pattern of TOKEN_PATTERNS) safe = safe.replace(pattern, (found) => (found.endsWith('@') ? '***@' : '***'));
  return safe.length <= MAX_MESSAGE_LENGTH ? safe : `${safe.slice(0, MAX_MESSAGE_LENGTH - 1)}…`;
}

/** A stack with only this package's frames, written relative to it: absolute paths name people. */
export function packageFrames(stack: string): string {
  const frames: string[] = [];
  for (const line of stack.split('\n')) {
    const frame = /^\s*at (?:(?<name>[^()]+?) \()?.*?(?<where>(?:dist|src|bin)\/[\w./-]+:\d+:\d+)\)?$/.exec(line);
    if (frame?.groups === undefined) continue;
    const { name, where } = frame.groups;
    frames.push(name === undefined ? `at ${where}` : `at ${name} (${where})`);
    if (frames.length === MAX_FRAMES) break;
  }
  return frames.join('\n');
}
