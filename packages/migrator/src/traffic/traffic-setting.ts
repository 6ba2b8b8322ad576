import type { VerificationContext } from '../verify/context.ts';
import type { Workspace } from '../verify/workspace.ts';
import type { CopyRunner } from './run-under-traffic.ts';
import type { SendingThread } from './sending/sending-thread.ts';

/** What requests are sent with while migrations run. */
export interface TrafficSetting {
  readonly context: VerificationContext;
  readonly workspace: Workspace;
  readonly threads: { readonly old: SendingThread; readonly new: SendingThread };
  readonly runner: CopyRunner;
  /** Of the runner, in milliseconds. */
  readonly lockTimeout: number;
}

/** How much longer than a lock timeout the long transaction stays open, in milliseconds: for what the runner does before its first statement. */
export const longer = 500;
