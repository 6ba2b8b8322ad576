import { describe, expect, test } from 'vitest';
import { walBytes } from '../../../src/database/replicas/wal-position.ts';
import { InvalidValueError } from '../../../src/index.ts';

describe('a position', () => {
  test.each([
    ['0/0', 0n],
    ['0/16B3748', 0x16b3748n],
    ['16/B374D848', 0x16b374d848n],
    ['FFFFFFFF/FFFFFFFF', 2n ** 64n - 1n],
  ])('%s is a number of bytes', (text, bytes) => {
    expect(walBytes(text)).toBe(bytes);
  });

  test.each(['', '0', '/', '0/', '0/0/0', '0/123456789', 'x/y', `0/0'; drop table experiments; --`])(
    'refuses %j',
    (text) => {
      expect(() => walBytes(text)).toThrow(InvalidValueError);
    },
  );
});
