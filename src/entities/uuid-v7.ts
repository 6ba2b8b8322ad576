import { v7 } from 'uuid';

// Asked for in one go: a system call for each key takes longer than all the rest of it.
const randomness = new Uint8Array(4_096);
const perKey = 16;
let used = randomness.length;
let last = { msecs: Number.NEGATIVE_INFINITY, seq: 0 };

/** A UUIDv7 that is larger than every one before it in this process. */
export function uuidv7(): string {
  if (used === randomness.length) {
    crypto.getRandomValues(randomness);
    used = 0;
  }
  const random = randomness.subarray(used, (used += perKey));
  last = following(last, Date.now(), random);
  return v7({ random, ...last });
}

function following({ msecs, seq }: typeof last, now: number, random: Uint8Array): typeof last {
  // A random start, low enough that a millisecond's keys don't use up what follows it.
  if (now > msecs)
    return { msecs: now, seq: new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1 };
  return seq < 0xff_ff_ff_ff ? { msecs, seq: seq + 1 } : { msecs: msecs + 1, seq: 0 };
}
