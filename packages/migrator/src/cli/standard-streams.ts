import { write } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';

const writeSome = promisify(write);

const names = { 1: 'standard output', 2: 'standard error' } as const;

/** The file descriptor of a standard stream: 1 for output, 2 for errors. */
export type StandardStream = keyof typeof names;

/** Output that could not be written. */
export interface LostOutput {
  readonly stream: StandardStream;
  /** The reader of a pipe has closed it, as `head` does once it has its lines. */
  readonly readerLeft: boolean;
  readonly message: string;
}

// One queue for both streams, so that what is printed keeps its order.
let queue: Promise<void> = Promise.resolve();
const lost: LostOutput[] = [];

/**
 * Queues `bytes` for a standard stream; resolves once they are written or lost. Never throws: work under way, such as a migration,
 * continues without a reader. What a stream has lost, `lostOutput` returns; later output to it is dropped, which would hide the gap.
 *
 * `process.stdout` is not used: into a file it writes once and ignores how much of it was taken, so that a full disk goes unnoticed.
 * Writing is asynchronous: a slow reader must not stop the heartbeat of a migration.
 */
export function writeTo(stream: StandardStream, bytes: string | Uint8Array): Promise<void> {
  queue = append(queue, stream, bytes);
  return queue;
}

/** Whether something meant for the stream could not be written. */
export function hasLost(stream: StandardStream): boolean {
  return lost.some((one) => one.stream === stream);
}

/** Waits until everything is written, and returns what could not be; empty when all is well. */
export async function lostOutput(): Promise<readonly LostOutput[]> {
  await queue;
  return lost;
}

async function append(
  before: Promise<void>,
  stream: StandardStream,
  bytes: string | Uint8Array,
): Promise<void> {
  await before;
  if (hasLost(stream)) return;
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
    message: `${names[stream]} could not be written: ${why}; what was printed is not complete`,
  };
}

function codeOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}
