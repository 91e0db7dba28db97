/** For tests of programs built on this library: time that stands still, fakes that keep the ports' promises, and a real server. */
export { anEvent, testUlid } from './an-event.ts';
export * from './contract-server/index.ts';
export { createDelayingProxy, type DelayingProxy } from './delaying-proxy.ts';
export { createFakeRealtime, type FakeRealtime, type ScriptedConnect, type ScriptedPush } from './fake-realtime.ts';
export { createFakeSession, TEST_SESSION, type FakeSession } from './fake-session.ts';
export { createFakeTransport, type FakeTransport, type ScriptedAnswer } from './fake-transport.ts';
export { realtimeTransportCases, type RealtimeCase, type RealtimeUnderTest } from './realtime-suite.ts';
export { createTestTime, type TestTime } from './test-time.ts';
export { eventStoreCases, type StoreCase, type StoreUnderTest } from './store-suite.ts';
export { transportCases, type TransportCase, type TransportUnderTest } from './transport-suite.ts';
