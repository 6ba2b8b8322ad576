import { TLSSocket } from 'node:tls';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { PoolClient } from 'pg';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import type { PoolMode } from '../pool-options.ts';
import type { Finding } from './findings.ts';
import { poolModeOf } from './pool-mode.ts';
import { tlsFinding, type TlsFacts } from './tls-finding.ts';

const clockToleranceMs = 1_000;

/** What one connection tells of itself: TLS, a pooler in between, the server's clock. */
export async function connectionFindings(
  orm: MikroORM,
  target: DatabaseTarget,
  poolMode: PoolMode,
): Promise<Finding[]> {
  const pool = await orm.em.getConnection().getNativeClient();
  const client = await pool.connect();
  try {
    return [
      tlsFinding(tlsFacts(client, target), target.parts.host),
      await pooler(client, target, poolMode),
      await clock(client),
    ];
  } finally {
    client.release();
  }
}

function tlsFacts({ connection: { stream } }: PoolClient, { tls }: DatabaseTarget): TlsFacts {
  if (!(stream instanceof TLSSocket)) return { inUse: false, verified: false, protocol: null };
  // A certificate that happens to be good proves nothing where a bad one would have been taken as well.
  const verified = stream.authorized && tls !== false && tls.rejectUnauthorized;
  return { inUse: true, verified, protocol: stream.getProtocol() };
}

// A pooler makes up the process that it tells its clients, for it has another one for each transaction.
async function pooler(
  client: PoolClient & { readonly processID?: number | null },
  target: DatabaseTarget,
  poolMode: PoolMode,
): Promise<Finding> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const process = rows[0]?.pid ?? null;
  const toldProcess = client.processID ?? null;
  if (process === toldProcess) {
    return { subject: 'pooler', level: 'fine', says: 'none', facts: { inFront: false, mode: null } };
  }
  const mode = await poolModeOf(target);
  const says = `one is in front, in ${mode === null ? 'a mode that it does not tell this role' : `${mode} mode`}`;
  const facts = { inFront: true, mode };
  if (mode === 'statement')
    return { subject: 'pooler', level: 'warning', says: `${says}: it lends no transaction`, facts };
  // What stays on a connection would reach others, and nobody refuses it.
  if (mode === 'transaction' && poolMode !== 'transaction')
    return {
      subject: 'pooler',
      level: 'warning',
      says: `${says}: set DATABASE_POOL_MODE=transaction`,
      facts,
    };
  return {
    subject: 'pooler',
    level: 'note',
    says: `${says}; migrations need a way around it: MIGRATION_DATABASE_URL`,
    facts,
  };
}

async function clock(client: PoolClient): Promise<Finding> {
  const before = Date.now();
  const { rows } = await client.query<{ at: string }>(
    'select extract(epoch from clock_timestamp()) * 1000 as at',
  );
  const after = Date.now();
  const at = Number(rows[0]?.at);
  // It was read at some moment between the two.
  const ahead = at > after ? at - after : at < before ? at - before : 0;
  const difference = Math.round(ahead);
  const wrong = Math.abs(difference) > clockToleranceMs;
  const says =
    difference === 0
      ? 'agrees with this machine'
      : `${Math.abs(difference)} ms ${difference > 0 ? 'ahead of' : 'behind'} this machine`;
  return {
    subject: 'clock',
    level: wrong ? 'warning' : 'fine',
    says: wrong ? `${says}: set both by NTP` : says,
    facts: { differenceMs: difference },
  };
}
