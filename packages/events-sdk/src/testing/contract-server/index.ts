/** The contract server: what is public of it. Storage, tokens and routing stay inside. */
export type { Account, Accounts, NewUser } from './accounts.ts';
export type { EventResult, Poison } from './batch.ts';
export { projectBoard, type Board, type BoardCard, type BoardDependency, type BoardFeature } from './board.ts';
export { createContractServer, type ContractServer, type ContractServerOptions } from './contract-server.ts';
export type { Anomaly, EventFilter, ReceivedEvent } from './event-log.ts';
export { faultCatalogue, type CatalogueFault } from './fault-catalogue.ts';
export { faults } from './faults.ts';
export type { Delivery, Reply, RequestFilter, RequestRecord } from './http.ts';
export type { LinkFault } from './link-faults.ts';
export type { FrameRecord, RealtimeControls } from './realtime-controls.ts';
export { SERVER_PATHS } from './routes.ts';
export type {
  FixedAnswer,
  ScriptedAnswers,
  ScriptedHandler,
  ScriptedOutcome,
  ScriptedScope,
} from './scripted-answers.ts';
export type { RealtimeToken, TokenPair } from './tokens.ts';
