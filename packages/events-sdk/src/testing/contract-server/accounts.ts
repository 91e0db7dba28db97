/**
 * Teams and users. Passwords are kept as scrypt hashes only, and a wrong password costs the same time
 * and gets the same answer as an unknown name.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

import { EventsSdkError } from '../../errors.ts';
import type { ServerDatabase } from './database.ts';

/** A person who may sign in. */
export interface Account {
  readonly username: string;
  /** All teams of the user; the first one is where a new session belongs. */
  readonly teams: readonly string[];
}

/** A user to create. */
export interface NewUser {
  readonly username: string;
  readonly password: string;
  /** Created when it does not exist yet. */
  readonly team: string;
}

/** Who may use this server. */
export interface Accounts {
  /** Creates the user and, if needed, the team. Throws INVALID_ARGUMENT when the name is taken or a field is empty. */
  addUser(user: NewUser): Promise<void>;
  /** Lets an existing user into one more team. */
  addMembership(username: string, team: string): void;
  find(username: string): Account | undefined;
  /** How many users there are. */
  count(): number;
  /** The account when name and password fit; undefined otherwise, without saying which was wrong. */
  verify(username: string, password: string): Promise<Account | undefined>;
}

const KEY_BYTES = 32;
const COST = 16_384;

/** Compared against when the user does not exist, so that both ways take one scrypt. */
const NOBODY = `scrypt$${COST}$${Buffer.alloc(16).toString('base64')}$${Buffer.alloc(KEY_BYTES).toString('base64')}`;

/** Accounts kept in the server's data file. */
export function createAccounts(database: ServerDatabase): Accounts {
  const { sql } = database;
  const addTeam = sql.prepare('INSERT INTO teams (slug) VALUES (?) ON CONFLICT DO NOTHING');
  const addUserRow = sql.prepare('INSERT INTO users (username, password_hash) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const addMember = sql.prepare('INSERT INTO memberships (username, team_slug) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const hashOf = sql.prepare('SELECT password_hash FROM users WHERE username = ?');
  const countUsers = sql.prepare('SELECT count(*) AS users FROM users');
  const teamsOf = sql.prepare('SELECT team_slug FROM memberships WHERE username = ? ORDER BY id');

  function find(username: string): Account | undefined {
    const teams = teamsOf.all(username).map((row) => String(row['team_slug']));
    return teams.length === 0 ? undefined : { username, teams };
  }

  return {
    find,
    count: () => Number(countUsers.get()?.['users']),

    async addUser({ username, password, team }) {
      if (username === '' || password === '' || team === '') {
        throw new EventsSdkError('INVALID_ARGUMENT', 'A user needs a name, a password and a team.');
      }
      const hash = await hashPassword(password);
      database.transact(() => {
        if (addUserRow.run(username, hash).changes === 0) {
          throw new EventsSdkError('INVALID_ARGUMENT', `User "${username}" already exists.`);
        }
        addTeam.run(team);
        addMember.run(username, team);
      });
    },

    addMembership(username, team) {
      if (find(username) === undefined) throw new EventsSdkError('INVALID_ARGUMENT', `There is no user "${username}".`);
      database.transact(() => {
        addTeam.run(team);
        addMember.run(username, team);
      });
    },

    async verify(username, password) {
      const known = hashOf.get(username)?.['password_hash'];
      const fits = await passwordFits(password, typeof known === 'string' ? known : NOBODY);
      return fits && typeof known === 'string' ? find(username) : undefined;
    },
  };
}

async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await deriveKey(password, salt, COST);
  return `scrypt$${COST}$${salt.toString('base64')}$${key.toString('base64')}`;
}

async function passwordFits(password: string, hash: string): Promise<boolean> {
  const [, cost = '', salt = '', key = ''] = hash.split('$');
  const expected = Buffer.from(key, 'base64');
  const actual = await deriveKey(password, Buffer.from(salt, 'base64'), Number(cost));
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function deriveKey(password: string, salt: Buffer, cost: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // NFKC: the same password typed on two systems may arrive in two encodings.
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, { N: cost }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
