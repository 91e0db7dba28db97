/**
 * Writes test/surface.txt: every command of the built program with its arguments and flags. What stands there is typed by
 * people and scripts; test/surface.test.ts fails until a change is written down: `node scripts/surface.ts`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const manifest = fileURLToPath(new URL('../oclif.manifest.json', import.meta.url));
const page = fileURLToPath(new URL('../test/surface.txt', import.meta.url));

interface Flag {
  readonly name: string;
  readonly char?: string;
  readonly type: 'boolean' | 'option';
  readonly aliases?: readonly string[];
  readonly charAliases?: readonly string[];
  readonly allowNo?: boolean;
  readonly hidden?: boolean;
  readonly required?: boolean;
  readonly multiple?: boolean;
  readonly default?: unknown;
  readonly env?: string;
  readonly options?: readonly string[];
  readonly exclusive?: readonly string[];
  readonly dependsOn?: readonly string[];
}

interface Arg {
  readonly name: string;
  readonly required?: boolean;
  readonly hidden?: boolean;
  readonly multiple?: boolean;
  readonly default?: unknown;
  readonly options?: readonly string[];
}

interface Command {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly hidden?: boolean;
  readonly strict: boolean;
  readonly args: Readonly<Record<string, Arg>>;
  readonly flags: Readonly<Record<string, Flag>>;
}

/** The file as it should be. */
export async function surfacePage(): Promise<string> {
  // Written by our own build.
  const { commands } = JSON.parse(await readFile(manifest, 'utf8')) as {
    readonly commands: Readonly<Record<string, Command>>;
  };
  const sections = Object.values(commands)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((command) => {
      const flags = Object.values(command.flags).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const lines = [...Object.values(command.args).map(argLine), ...flags.map(flagLine)];
      return `${commandLine(command)}\n${lines.map((line) => `  ${line}\n`).join('')}`;
    });
  return sections.join('\n');
}

function commandLine({ id, aliases, hidden, strict }: Command): string {
  return words(id.replaceAll(':', ' '), list('also', aliases), hidden === true && 'hidden', !strict && 'more words');
}

function argLine({ name, required, hidden, multiple, default: usual, options }: Arg): string {
  return words(
    name.toUpperCase(),
    required === true && 'required',
    multiple === true && 'often',
    hidden === true && 'hidden',
    list('one of', options),
    usual !== undefined && `default ${JSON.stringify(usual)}`,
  );
}

function flagLine(flag: Flag): string {
  return words(
    flag.char !== undefined && `-${flag.char}`,
    `--${flag.allowNo === true ? '[no-]' : ''}${flag.name}${flag.type === 'option' ? '=VALUE' : ''}`,
    list('also', [...(flag.aliases ?? []), ...(flag.charAliases ?? [])]),
    flag.required === true && 'required',
    flag.multiple === true && 'often',
    flag.hidden === true && 'hidden',
    list('one of', flag.options),
    flag.default !== undefined && `default ${JSON.stringify(flag.default)}`,
    flag.env !== undefined && `from ${flag.env}`,
    list('not with', flag.exclusive),
    list('only with', flag.dependsOn),
  );
}

const list = (label: string, all: readonly string[] | undefined): string | false =>
  all !== undefined && all.length > 0 && `${label} ${all.join('|')}`;

const words = (...parts: readonly (string | false)[]): string => parts.filter((part) => part !== false).join(' ');

/** The file as it is; empty when there is none. */
export async function writtenSurface(): Promise<string> {
  return await readFile(page, 'utf8').catch(() => '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(page, await surfacePage());
