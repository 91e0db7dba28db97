/** The links of a contract server as a test sees them. Apart from what serves them, so that these types need no `ws`. */
import type { LinkFault } from './link-faults.ts';

/** A frame that went over a link. No payload, no token. */
export interface FrameRecord {
  /** Links are numbered from 1 as they are opened. */
  readonly link: number;
  readonly direction: 'in' | 'out';
  /** The frame's type; `unreadable` for what is no frame. */
  readonly type: string;
  readonly eventId: string | null;
}

/** What a test may do with the links of a server. */
export interface RealtimeControls {
  /** The next link (or the next few) has this fault. To refuse one, use `respondNext` on the link's path. */
  breakNextLink(fault: LinkFault, times?: number): void;
  /** Ends every open link: with a close code, or by cutting the connection. */
  endLinks(code?: number): void;
  /** From now on the open links neither read nor write, and stay open. */
  freezeLinks(): void;
  /** How many links are open. */
  readonly links: number;
  /** Frames so far, oldest first, the latest 10,000; no payloads. */
  readonly frames: readonly FrameRecord[];
}
