/** Node: a whole client over this person's home, and the parts it is made of that other programs need too. */
export { runCourier, type RunCourierOptions } from './run-courier.ts';
export type { CourierCommand } from './courier.ts';
export type { HandOff } from './dispatch.ts';
export {
  convertStore,
  readStoreFile,
  type ConvertStoreOptions,
  type StoreConversion,
  type StoreFile,
} from './convert-store.ts';
export { listDamagedQueues } from './damaged-queue.ts';
export { withDirectoryLock, type DirectoryLockOptions } from './directory-lock.ts';
export { createGitFacts, readOriginUrl, type GitFacts, type GitFactsDeps, type GitFactsSource } from './git-facts.ts';
export { resolveHome, type Env, type Home } from './home.ts';
export type { DriverChoice, QueueDriver } from './config-file.ts';
export { openHomeStore, type HomeStore, type OpenHomeStoreOptions } from './home-store.ts';
export type { CheckName, Finding } from './diagnose.ts';
export type { HomeCare } from './home-care.ts';
export type { ConnectionStatus, HomeStatus } from './home-status.ts';
export { currentHostname, currentUsername, deriveNodeId, type NodeIdParts } from './node-id.ts';
export type { NodeClient, NodeEmitOptions, NodeSyncOptions, OpenNodeClientOptions } from './node-client.ts';
export { openNodeClient } from './open-node-client.ts';
export { systemRandom } from './system-random.ts';
export type { GivenProject, ProjectHere } from './project-facts.ts';
export { deriveNewIdentity, readProjectIdentity, type ProjectRead } from './project-identity.ts';
export { findProjectRoot } from './project-root.ts';
export type { ProbeServer, ServerProbe } from './server-probe.ts';
export type { ProjectIdentity, ProjectSettings } from '../identity/project-identity.ts';
