/**
 * Looks for secrets everywhere a program may leave them: what it printed, the command lines of all processes while it ran, every
 * file of some folders, and every object of a git repository, which git keeps compressed. Each secret is looked for as
 * it is, and as base64, URL, JSON and header encodings would show it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What must not be found, by what it is. */
export type Secrets = Readonly<Record<string, string>>;

/** Texts by where they were seen. */
export type Seen = Readonly<Record<string, string | Buffer>>;

/** `<secret> in <place>`, each once, without the secret itself. */
export function findSecrets(secrets: Secrets, places: Seen): readonly string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const shapes = shapesOf(secret);
    return Object.entries(places)
      .filter(([, text]) => shapes.some((shape) => Buffer.from(text).includes(shape)))
      .map(([place]) => `${name} in ${place}`);
  });
}

/** Every spelling in which a secret is still itself. */
function shapesOf(secret: string): readonly string[] {
  // What stands before it shifts base64; its first and last characters then depend on neighbours.
  const base64 = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.from(`${'x'.repeat(shift)}${secret}`)
      .toString('base64')
      .replaceAll('=', '')
      .slice(shift === 0 ? 0 : 4, -2);
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const json = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, json, encodeURIComponent(secret), encodeURI(secret), ...base64])];
}

/** Every file below `folder`, by its path from `root`. A git repository's objects are read in the clear. */
export function filesBelow(root: string, folder = root): Seen {
  const seen: Record<string, string | Buffer> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    // Sockets and pipes have no content, and a file may be gone by now.
    if (!existsSync(path) || !statSync(path).isFile()) continue;
    seen[relative(root, path)] = readFileSync(path);
  }
  return seen;
}

/** What git keeps of a repository: every object, reachable or not, as it was before it was compressed. */
export function gitObjects(repository: string): Seen {
  const text = execFileSync('git', ['cat-file', '--batch-all-objects', '--batch', '--unordered'], {
    cwd: repository,
    maxBuffer: 1 << 28,
  });
  return { 'git objects': text };
}

/** Remembers the command line of every process that is alive, each time it looks; on Linux only. */
export function watchCommandLines(): { stop(): Seen } {
  const seen = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const timer = existsSync('/proc/self/cmdline') ? setInterval(look, 4) : undefined;
  return {
    stop() {
      clearInterval(timer);
      return { 'command lines': [...seen].join('\n') };
    },
  };
}
