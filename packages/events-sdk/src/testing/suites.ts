/** The suites of the ports, without anything of Node: for adapters that are tested where they run, also in a browser. */
export { realtimeTransportCases, type RealtimeCase, type RealtimeUnderTest } from './realtime-suite.ts';
export { aStoredEvent, eventStoreCases, type StoreCase, type StoreUnderTest } from './store-suite.ts';
