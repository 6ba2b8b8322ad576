import { expect, test } from 'vitest';
import { MessageReader, message, texts } from './message.ts';

const startup = message('', Buffer.from([0, 3, 0, 0]), 'user', 'maria', '');
const parse = message('P', 'name', 'select $1', Buffer.alloc(2));
const sync = message('S');

test.each([1, 2, 3, 5, 7, 1_000])('reads complete messages from chunks of %i bytes', (size) => {
  const stream = Buffer.concat([startup, parse, sync, parse]);
  const reader = new MessageReader({ typed: false });
  const found: [string, Buffer][] = [];

  for (let at = 0; at < stream.length; at += size) {
    for (const { type, bytes } of reader.read(stream.subarray(at, at + size))) {
      found.push([type, bytes]);
      reader.typed = true;
    }
  }

  expect(found).toEqual([
    ['', startup],
    ['P', parse],
    ['S', sync],
    ['P', parse],
  ]);
});

test('returns the texts before the first other value of a message', () => {
  const [found] = new MessageReader({ typed: true }).read(parse);

  expect(found && texts(found, 2)).toEqual(['name', 'select $1']);
  expect(() => found && texts(found, 5)).toThrow('text 5');
});
