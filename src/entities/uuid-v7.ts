import { v7 } from 'uuid';

// In blocks: a system call for each key would take longer than the rest of the function.
const randomness = new Uint8Array(4_096);
const perKey = 16;
let used = randomness.length;
let last = { msecs: Number.NEGATIVE_INFINITY, seq: 0 };

/** Returns a UUIDv7 that is larger than every earlier one of this process. */
export function uuidv7(): string {
  if (used === randomness.length) {
    crypto.getRandomValues(randomness);
    used = 0;
  }
  const random = randomness.subarray(used, (used += perKey));
  last = nextOf(last, Date.now(), random);
  return v7({ random, ...last });
}

function nextOf({ msecs, seq }: typeof last, now: number, random: Uint8Array): typeof last {
  // A random start in the lower half, so that the keys of one millisecond do not exhaust the sequence.
  if (now > msecs)
    return { msecs: now, seq: new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1 };
  return seq < 0xff_ff_ff_ff ? { msecs, seq: seq + 1 } : { msecs: msecs + 1, seq: 0 };
}
