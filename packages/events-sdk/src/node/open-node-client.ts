/**
 * Everything a command-line program on Node needs, wired: the home's store, the sign-in, the project it runs
 * in, git facts, delivery. Opening costs nothing; each part is opened when it is first needed.
 */
import { sessionFromEnvironment } from '../auth/environment-session.ts';
import type { Session, SessionProvider } from '../auth/port.ts';
import { parseServerUrl } from '../auth/server-url.ts';
import { createTokenManager, type AuthStatus, type LoginInput, type TokenManager } from '../auth/token-manager.ts';
import { createClient } from '../client.ts';
import type { EventMap } from '../contract/event-map.ts';
import { specKittyEvents, type SpecKittyEvents } from '../contract/spec-kitty-events.ts';
import type { EmissionFacts, Emitter } from '../emitter.ts';
import type { SyncReport } from '../engine/report.ts';
import type { SyncStatus } from '../engine/status.ts';
import type { SyncOptions } from '../engine/sync-engine.ts';
import { createUlidFactory } from '../id/ulid.ts';
import { silentLogger, warnOnce, type Logger } from '../internal/logger.ts';
import { systemTime, type Time } from '../internal/time.ts';
import type { ProjectFacts } from '../queue/binding.ts';
import type { EventStore } from '../storage/port.ts';
import { projectTeamKey } from '../storage/values.ts';
import type { Transport } from '../transport/port.ts';
import { writeClockMirror } from './clock-file.ts';
import { readConfig, setServerUrl, type HomeConfig } from './config-file.ts';
import { startCourier, type CourierCommand } from './courier.ts';
import { createCredentialsFile } from './credentials-file.ts';
import { createGitFacts } from './git-facts.ts';
import { resolveHome, type Env, type Home } from './home.ts';
import { openHomeStore, type HomeStore } from './home-store.ts';
import { currentOwner, lifeOf } from './process-owner.ts';
import { readProjectIdentity } from './project-identity.ts';
import { findProjectRoot } from './project-root.ts';
