/**
 * `config.toml`, section `[sync]`: where events go and how (FR-027, CONTRACT §7, DESIGN §4.9). A file that cannot be
 * used never stops a command: defaults apply, automatic delivery is off, and one warning says what to correct.
 */
import * as v from 'valibot';

import { MAX_QUEUED_EVENTS } from '../contract/limits.ts';
import { EventsSdkError } from '../errors.ts';
import type { DeliveryMode } from '../identity/project-identity.ts';
import { DELIVERY_MODES } from '../identity/project-identity.ts';
import { keyLine, serverUrlEdits } from '../identity/toml-edit.ts';
import type { Env } from './home.ts';
import { errorCodeOf, readTextFile, systemDisk } from './disk.ts';
import { writeHomeFile, type MachinePorts } from './replace-file.ts';

/** How this home syncs. */
export interface SyncConfig {
  /** Normalised; null while none is set: there is no default server. */
  readonly serverUrl: string | null;
  readonly maxQueueSize: number;
  readonly overflow: 'refuse-new' | 'evict-oldest';
  readonly queueDriver: DriverChoice;
  readonly delivery: DeliveryMode;
}

/** Which SQLite opens the queue; `auto` takes the native one where the runtime has it. */
export type DriverChoice = QueueDriver | 'auto';

/** The two SQL stores, by name. */
export type QueueDriver = (typeof QUEUE_DRIVERS)[number];
const QUEUE_DRIVERS = ['node-sqlite', 'sqljs'] as const;
const DRIVER_CHOICES = ['auto', ...QUEUE_DRIVERS] as const;

/** The settings in force, and what a person should correct. */
export interface LoadedConfig {
  readonly config: SyncConfig;
  readonly warnings: readonly string[];
}

/** Where to read, and how a server address is checked: returns it normalised or throws (`parseServerUrl`). */
export interface ConfigSource extends MachinePorts {
  readonly path: string;
  /** The path as people may see it. */
  readonly shownAs: string;
  readonly checkServerUrl: (text: string) => string;
}

const fileKeys = {
  server_url: v.string('must be text'),
  max_queue_size: v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(1, 'must be at least 1'),
  ),
  overflow: v.picklist(['refuse-new', 'evict-oldest'], 'must be refuse-new or evict-oldest'),
  queue_driver: v.picklist(DRIVER_CHOICES, `must be one of ${DRIVER_CHOICES.join(', ')}`),
  delivery: v.picklist(DELIVERY_MODES, `must be one of ${DELIVERY_MODES.join(', ')}`),
};

/** Reads the file and the overriding variables SPEC_KITTY_SERVER, SPEC_KITTY_QUEUE_DRIVER, SPEC_KITTY_DELIVERY. Never throws. */
export async function readSyncConfig(source: ConfigSource, env: Env = process.env): Promise<LoadedConfig> {
  const warnings: string[] = [];
  const file = await readSection(source, warnings);
  const pick = <K extends keyof typeof fileKeys>(key: K): v.InferOutput<(typeof fileKeys)[K]> | undefined => {
    const value = file.section[key];
    if (value === undefined) return undefined;
    const result = v.safeParse(fileKeys[key], value);
    if (result.success) return result.output;
    warnings.push(`${placeOf(source, file.text, key)}: sync.${key} ${result.issues[0].message}. It is ignored.`);
    return undefined;
  };
  const variable = (name: string): string | undefined => (env[name]?.trim() === '' ? undefined : env[name]?.trim());
  const choice = <T extends string>(name: string, allowed: readonly T[]): T | undefined => {
    const text = variable(name);
    const chosen = allowed.find((item) => item === text);
    if (text !== undefined && chosen === undefined)
      warnings.push(`${name} must be one of ${allowed.join(', ')}. It is ignored.`);
    return chosen;
  };
  const checked = (text: string, where: string): string | null => {
    try {
      return source.checkServerUrl(text);
    } catch (error) {
      warnings.push(`${where}: ${error instanceof Error ? error.message : 'the server address is not usable.'}`);
      return null;
    }
  };

  const fromFile = pick('server_url');
  const fromEnv = variable('SPEC_KITTY_SERVER');
  // A bad override is no reason to send to the other address: then there is none.
  const serverUrl =
    fromEnv !== undefined
      ? checked(fromEnv, 'SPEC_KITTY_SERVER')
      : fromFile === undefined
        ? null
        : checked(fromFile, placeOf(source, file.text, 'server_url'));
  const deliveryInFile = pick('delivery');
  const deliveryInEnv = choice('SPEC_KITTY_DELIVERY', DELIVERY_MODES);
  // Whoever tried to say how events leave and was not understood may have said "off".
  const isUnclear =
    !file.isUsable ||
    (file.section['delivery'] !== undefined && deliveryInFile === undefined) ||
    (variable('SPEC_KITTY_DELIVERY') !== undefined && deliveryInEnv === undefined);
  return {
    config: {
      serverUrl,
      maxQueueSize: pick('max_queue_size') ?? MAX_QUEUED_EVENTS,
      overflow: pick('overflow') ?? 'refuse-new',
      queueDriver: choice('SPEC_KITTY_QUEUE_DRIVER', DRIVER_CHOICES) ?? pick('queue_driver') ?? 'auto',
      delivery: deliveryInEnv ?? (isUnclear ? 'off' : (deliveryInFile ?? (isCi(env) ? 'off' : 'courier'))),
    },
    warnings: warnings.length <= 1 ? warnings : [warnings.join(' ')],
  };
}

/**
 * Sets `[sync] server_url`, keeping comments and every other setting, and returns the address as written.
 *
 * @throws INVALID_SERVER_URL; FILE_UNUSABLE when the present file is broken or cannot be written.
 */
export async function setServerUrl(source: ConfigSource, serverUrl: string): Promise<string> {
  const address = source.checkServerUrl(serverUrl);
  const text = readText(source) ?? '';
  const { parse } = await import('smol-toml');
  let before: Record<string, unknown>;
  try {
    before = parse(text);
  } catch (cause) {
    throw new EventsSdkError(
      'FILE_UNUSABLE',
      `${syntaxComplaint(source, cause)} Correct it first; nothing was changed.`,
      { cause },
    );
  }
  const sync = before['sync'];
  const wanted = JSON.stringify(
    { ...before, sync: { ...(isTable(sync) ? sync : {}), server_url: address } },
    sortedKeys,
  );
  for (const edited of serverUrlEdits(text, address)) {
    // An edit counts only if a TOML reader finds exactly the one change in it.
    try {
      if (JSON.stringify(parse(edited), sortedKeys) !== wanted) continue;
    } catch {
      continue;
    }
    writeHomeFile(source.path, edited, { ...source, isDurable: true });
    return address;
  }
  throw new EventsSdkError(
    'FILE_UNUSABLE',
    `${source.shownAs} is written in a way that cannot be edited safely. Set server_url under [sync] by hand.`,
  );
}

interface Section {
  readonly text: string;
  readonly section: Readonly<Record<string, unknown>>;
  readonly isUsable: boolean;
}

async function readSection(source: ConfigSource, warnings: string[]): Promise<Section> {
  let text: string | null;
  try {
    text = readText(source);
  } catch (error) {
    warnings.push(error instanceof Error ? error.message : `${source.shownAs} cannot be read.`);
    return { text: '', section: {}, isUsable: false };
  }
  if (text === null || text.trim() === '') return { text: '', section: {}, isUsable: true };
  try {
    const { parse } = await import('smol-toml');
    const sync = parse(text)['sync'];
    if (sync === undefined || isTable(sync)) return { text, section: sync ?? {}, isUsable: true };
    warnings.push(`${source.shownAs}: sync is not a section. Defaults apply and automatic delivery is off.`);
  } catch (error) {
    warnings.push(
      `${syntaxComplaint(source, error)} Defaults apply and automatic delivery is off until it is corrected.`,
    );
  }
  return { text, section: {}, isUsable: false };
}

function readText(source: ConfigSource): string | null {
  try {
    return readTextFile(source.disk ?? systemDisk, source.path) ?? null;
  } catch (cause) {
    const code = errorCodeOf(cause);
    throw new EventsSdkError('FILE_UNUSABLE', `${source.shownAs} cannot be read (${code}). Check its permissions.`, {
      cause,
    });
  }
}

function syntaxComplaint(source: ConfigSource, error: unknown): string {
  const line =
    error instanceof Error && 'line' in error && typeof error.line === 'number' ? `, line ${error.line}` : '';
  return `${source.shownAs}${line}: not valid TOML.`;
}

function placeOf(source: ConfigSource, text: string, key: string): string {
  const line = keyLine(text, key);
  return line === null ? source.shownAs : `${source.shownAs}, line ${line}`;
}

/** CI systems set `CI`; it says nothing else about how to behave. */
function isCi(env: Env): boolean {
  return !['', '0', 'false'].includes((env['CI'] ?? '').trim().toLowerCase());
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Key order says nothing in TOML, so it must not decide whether two files mean the same. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
