import { TLSSocket } from 'node:tls';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { PoolClient } from 'pg';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import type { PoolMode } from '../../postgres/client/pool-options.ts';
import { Connections } from '../../postgres/client/connections.ts';
import { detectPoolerMode } from '../../postgres/pooler/pooler-mode.ts';
import type { DoctorFinding } from './findings.ts';
import { readPoolMode } from './pool-mode.ts';
import { tlsFinding, type TlsFacts } from './tls-finding.ts';

const clockToleranceMs = 1_000;

/** Returns the findings of one connection: TLS, a pooler, the server's clock. */
export async function connectionFindings(
  orm: MikroORM,
  target: DatabaseTarget,
  poolMode: PoolMode,
): Promise<DoctorFinding[]> {
  const pool = await orm.em.getConnection().getNativeClient();
  const client = await pool.connect();
  const tls = tlsFinding(tlsFacts(client, target), target.parts.host);
  const clock = await clockFinding(client).finally(() => client.release());
  return [tls, await poolerFinding(orm, target, poolMode), clock];
}

function tlsFacts({ connection: { stream } }: PoolClient, { tls }: DatabaseTarget): TlsFacts {
  if (!(stream instanceof TLSSocket)) return { inUse: false, verified: false, protocol: null };
  // A valid certificate proves nothing when an invalid one would be accepted, too.
  const verified = stream.authorized && tls !== false && tls.rejectUnauthorized;
  return { inUse: true, verified, protocol: stream.getProtocol() };
}

async function poolerFinding(
  orm: MikroORM,
  target: DatabaseTarget,
  poolMode: PoolMode,
): Promise<DoctorFinding> {
  if (!Connections.of(orm).behindPooler)
    return { subject: 'pooler', level: 'fine', message: 'none', facts: { inFront: false, mode: null } };
  const mode = (await readPoolMode(target)) ?? (await detectPoolerMode(orm));
  const message = `detected, in ${mode === null ? 'a mode that this role may not read' : `${mode} mode`}`;
  const facts = { inFront: true, mode };
  if (mode === 'statement')
    return {
      subject: 'pooler',
      level: 'warning',
      message: `${message}: it does not support transactions`,
      facts,
    };
  // `openDatabase` would refuse it.
  if (mode === 'transaction' && poolMode === 'session')
    return {
      subject: 'pooler',
      level: 'warning',
      message: `${message}: set DATABASE_POOL_MODE=transaction`,
      facts,
    };
  return {
    subject: 'pooler',
    level: 'note',
    message: `${message}; set MIGRATION_DATABASE_URL to connect migrations directly to the server`,
    facts,
  };
}

async function clockFinding(client: PoolClient): Promise<DoctorFinding> {
  const before = Date.now();
  const { rows } = await client.query<{ at: string }>(
    'select extract(epoch from clock_timestamp()) * 1000 as at',
  );
  const after = Date.now();
  const at = Number(rows[0]?.at);
  // The server's clock was read between the two.
  const ahead = at > after ? at - after : at < before ? at - before : 0;
  const difference = Math.round(ahead);
  const wrong = Math.abs(difference) > clockToleranceMs;
  const message =
    difference === 0
      ? 'agrees with this machine'
      : `${Math.abs(difference)} ms ${difference > 0 ? 'ahead of' : 'behind'} this machine`;
  return {
    subject: 'clock',
    level: wrong ? 'warning' : 'fine',
    message: wrong ? `${message}: set both by NTP` : message,
    facts: { differenceMs: difference },
  };
}
