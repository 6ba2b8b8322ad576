import { expect, test } from 'vitest';
import { tlsFinding } from '../../../src/database/doctor/tls-finding.ts';

const none = { inUse: false, verified: false, protocol: null };
const blind = { inUse: true, verified: false, protocol: 'TLSv1.3' };
const verified = { inUse: true, verified: true, protocol: 'TLSv1.3' };

test.each([
  ['127.0.0.1', none, 'fine'],
  ['127.1.2.3', none, 'fine'],
  ['localhost', none, 'fine'],
  ['::1', blind, 'fine'],
  ['/run/postgresql', none, 'fine'],
  ['db.example.org', none, 'warning'],
  ['db.example.org', blind, 'warning'],
  ['db.example.org', verified, 'fine'],
  ['10.0.0.1', none, 'warning'],
  ['127.0.0.1.example.org', none, 'warning'],
  ['localhost.example.org', blind, 'warning'],
])('a connection to %s, %o: %s', (host, facts, level) => {
  expect(tlsFinding(facts, host)).toMatchObject({ subject: 'tls', level, facts });
});
