import { isNativeError } from 'node:util/types';
import { parentPort } from 'node:worker_threads';
import type { Order } from './planned-request.ts';
import { Sending } from './sending.ts';

// The entry of a thread that sends requests: its event loop is not that of the runner, so that the runner's work is not measured as a stall.
const sending = new Sending();

// The connections of an author's pool end with the copy, and the driver emits an error that may have no listener. What concerns a request rejects it.
process.on('uncaughtException', () => {});

function answerWith(message: object): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of a thread, not of a window
  parentPort?.postMessage(message);
}

parentPort?.on('message', ({ id, order }: { readonly id: number; readonly order: Order }) => {
  void sending.obey(order).then(
    (answer) => answerWith({ id, answer }),
    (error: unknown) => answerWith({ id, error: isNativeError(error) ? error.message : String(error) }),
  );
});
