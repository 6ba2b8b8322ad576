import { expect, test } from 'vitest';
import { underTraffic } from './under-traffic.ts';
import { unsafeChanges } from './unsafe.ts';

test.each(unsafeChanges)('$name', async ({ name, unsafe, finds, safe }) => {
  const u = await underTraffic(unsafe);
  const s = await underTraffic(safe);
  console.log(JSON.stringify({ name, finds, u, s }, null, 1));
  expect(1).toBe(1);
});
