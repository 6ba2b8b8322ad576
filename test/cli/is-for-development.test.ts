import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isForDevelopment } from '../../src/cli/is-for-development.ts';

const nothing = {};

describe('a database is a development database', () => {
  test.each([
    ['shop_dev', '127.0.0.1'],
    ['shop_dev', 'localhost'],
    ['shop_dev', 'LOCALHOST.'],
    ['shop_dev', 'db.localhost'],
    ['shop_dev', '127.8.9.10'],
    ['shop_dev', '::1'],
    ['shop_dev', '[::1]'],
    ['shop_dev', '0:0:0:0:0:0:0:1'],
    ['shop_dev', '::ffff:127.0.0.1'],
    ['shop_dev', '/var/run/postgresql'],
    ['shop_dev', '@postgresql'],
    ['dev', 'localhost'],
    ['dev-shop', 'localhost'],
    ['Shop_Development', 'localhost'],
    ['shop_test_3', 'localhost'],
    ['local_shop', 'localhost'],
    ['scratch', 'localhost'],
    ['synthlab', '127.0.0.1'],
    ['synthlab', 'localhost'],
    ['synthlab', '/var/run/postgresql'],
  ])('%s on %s', (name, host) => {
    expect(isForDevelopment({ embedded: false, name, host }, nothing)).toBe(true);
  });

  test.each(['', 'development', 'test'])('the embedded one, with NODE_ENV=%j', (mode) => {
    const embedded = { embedded: true, name: 'synthlab', host: '127.0.0.1' };

    expect(isForDevelopment(embedded, { NODE_ENV: mode })).toBe(true);
  });

  test('that of docker-compose.yml, named by POSTGRES_DB', () => {
    const lab = { embedded: false, name: 'lab', host: '127.0.0.1' };
    const synthlab = { ...lab, name: 'synthlab' };

    expect(isForDevelopment(lab, { POSTGRES_DB: 'lab' })).toBe(true);
    expect(isForDevelopment(synthlab, { POSTGRES_DB: 'lab' })).toBe(false);
    expect(isForDevelopment(synthlab, { POSTGRES_DB: '' })).toBe(true);
    expect(readFileSync(join(import.meta.dirname, '../../docker-compose.yml'), 'utf8')).toContain(
      'POSTGRES_DB: ${POSTGRES_DB:-synthlab}',
    );
  });
});

describe('a database is not a development database', () => {
  test.each([
    ['shop', 'localhost'],
    ['postgres', '127.0.0.1'],
    ['production', 'localhost'],
    ['contest', 'localhost'],
    ['devices', 'localhost'],
    ['latest_shop', 'localhost'],
    ['shopdev', 'localhost'],
    ['synthlab2', 'localhost'],
    ['SynthLab', 'localhost'],
    ['', 'localhost'],
    ['shop_dev', 'db.example.com'],
    ['shop_dev', 'localhost.example.com'],
    ['shop_dev', 'notlocalhost'],
    ['shop_dev', '10.0.0.1'],
    ['shop_dev', '128.0.0.1'],
    ['shop_dev', '1.127.0.0'],
    ['shop_dev', '::2'],
    ['shop_dev', '::ffff:10.0.0.1'],
    ['synthlab', 'postgres'],
    ['synthlab', '192.168.0.7'],
  ])('%s on %s', (name, host) => {
    expect(isForDevelopment({ embedded: false, name, host }, nothing)).toBe(false);
  });

  test.each(['production', 'Production', ' production '])('any, with NODE_ENV=%j', (mode) => {
    for (const embedded of [true, false])
      for (const name of ['synthlab', 'shop_dev'])
        expect(isForDevelopment({ embedded, name, host: '127.0.0.1' }, { NODE_ENV: mode })).toBe(false);
  });
});
