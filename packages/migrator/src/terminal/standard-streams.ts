import { write } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';

const writeSome = promisify(write);

const names = { 1: 'standard output', 2: 'standard error' } as const;

/** The file descriptor of a standard stream: 1 for output, 2 for errors. */
export type StandardStream = keyof typeof names;

/** Why the output is incomplete. */
export interface LostOutput {
  readonly stream: StandardStream;
  /** Whether the reader closed the pipe, as `head` does. */
  readonly readerLeft: boolean;
  readonly message: string;
}

// One queue for both streams, to keep their order.
let queue: Promise<void> = Promise.resolve();
const lost: LostOutput[] = [];

/**
 * Queues `bytes` for a standard stream; resolves once they are written or lost. Never throws: a running migration continues when its output
 * is closed. Nothing is written to a stream after a loss, which `flushOutput` reports.
 *
 * `process.stdout` does not serve: for a file it ignores short writes, so that a full disk goes unnoticed. Writing is asynchronous, since a
 * slow reader must not block the heartbeat of a migration.
 */
export function writeTo(stream: StandardStream, bytes: string | Uint8Array): Promise<void> {
  queue = append(queue, stream, bytes);
  return queue;
}

/** Whether output of the stream was lost. */
export function hasLostOutput(stream: StandardStream): boolean {
  return lost.some((one) => one.stream === stream);
}

/** Waits until everything is written, and returns what was lost. */
export async function flushOutput(): Promise<readonly LostOutput[]> {
  await queue;
  return lost;
}

async function append(
  before: Promise<void>,
  stream: StandardStream,
  bytes: string | Uint8Array,
): Promise<void> {
  await before;
  if (hasLostOutput(stream)) return;
  try {
    await writeAll(stream, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  } catch (error) {
    lost.push(describe(stream, error));
  }
}

async function writeAll(stream: StandardStream, bytes: Uint8Array): Promise<void> {
  let wait = 1;
  for (let written = 0; written < bytes.length;) {
    try {
      written += (await writeSome(stream, bytes, written)).bytesWritten;
      wait = 1;
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error;
      // A full non-blocking pipe: the reader is slow.
      await setTimeout(wait);
      wait = Math.min(wait * 2, 20);
    }
  }
}

function describe(stream: StandardStream, error: unknown): LostOutput {
  const why = isNativeError(error) ? error.message : String(error);
  return {
    stream,
    readerLeft: codeOf(error) === 'EPIPE',
    message: `${names[stream]} could not be written: ${why}; the output is incomplete`,
  };
}

function codeOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}
