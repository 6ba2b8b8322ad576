import { expect, test } from 'vitest';
import { connectionUrl } from '../../src/traffic/connection-url.ts';

test.each([
  [
    { user: 'ann', password: 'p@ss/word', host: 'db.internal', port: 6543, database: 'a b' },
    'postgresql://ann:p%40ss%2Fword@db.internal:6543/a%20b',
  ],
  [{ user: 'ann', host: '::1', database: 'shop' }, 'postgresql://ann@[::1]:5432/shop'],
  [
    { user: 'ann', host: '/var/run/postgresql', database: 'shop' },
    'postgresql://ann@localhost:5432/shop?host=%2Fvar%2Frun%2Fpostgresql',
  ],
  [{ connectionString: 'postgresql://u@h/d', host: 'other' }, 'postgresql://u@h/d'],
])('the settings of a connection become a URL', (settings, url) => {
  expect(connectionUrl(settings)).toBe(url);
});
