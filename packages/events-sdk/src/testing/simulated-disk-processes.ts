/** The processes of a simulated machine: they have numbers and a start, die when told, and may be given old numbers again. */
import type { ProcessOwner, Processes } from '../node/process-owner.ts';

/** One process. */
export interface SimulatedProcess extends Processes {
  readonly pid: number;
  die(): void;
}

export interface SimulatedMachine {
  /** Starts one; without a `pid` it gets one that nobody had. */
  start(pid?: number): SimulatedProcess;
}

/** Things held so far on all simulated machines: like the real ones, no two holds have the same name. */
let holds = 0;

/** A machine that was just started, with no processes yet. Owners of another `host` are unknown to it, those of another `boot` are dead. */
export function createSimulatedMachine({ host = 'here', boot = 'boot1' } = {}): SimulatedMachine {
  const running = new Map<number, string>();
  let starts = 0;
  return {
    start(pid = 1_000 + starts) {
      const started = `${boot}.${(starts += 1)}`;
      running.set(pid, started);
      return {
        pid,
        current: (takenAtMs): ProcessOwner => ({ pid, started, host, takenAtMs, token: String((holds += 1)) }),
        lifeOf(owner) {
          if (owner.host !== host) return 'unknown';
          return running.get(owner.pid) === owner.started ? 'alive' : 'dead';
        },
        die() {
          if (running.get(pid) === started) running.delete(pid);
        },
      };
    },
  };
}
