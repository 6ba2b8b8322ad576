import type { MikroORM } from '@mikro-orm/postgresql';
import { migrationGap } from 'mikro-orm-safe-migrations/gap';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import type { Settings } from '../../settings/resolve-settings.ts';
import { connectOptions } from '../../postgres/orm/connect-options.ts';
import { ReplicaSet } from '../replicas/replica-set.ts';
import { Replica } from '../replicas/replica.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { connectionFindings } from './connection-findings.ts';
import type { DoctorFinding } from './findings.ts';
import { serverFindings } from './server-findings.ts';

/**
 * Checks the server, the connection, the schema and the replicas of a database. Changes nothing.
 *
 * @throws DataError when the database stops answering.
 */
export async function diagnose(
  orm: MikroORM,
  target: DatabaseTarget,
  settings: Settings,
): Promise<DoctorFinding[]> {
  return [
    ...(await serverFindings(orm)),
    ...(await connectionFindings(orm, target, settings.poolMode.value)),
    await schemaFinding(orm),
    ...(await replicaFindings(orm, settings)),
  ];
}

async function schemaFinding(orm: MikroORM): Promise<DoctorFinding> {
  const gap = await migrationGap(orm);
  const { version, pending, unknown } = gap;
  const wrong = [
    ...(pending.length > 0 ? [`${pending.length} pending: run \`synthdb migrate up\``] : []),
    ...(unknown.length > 0 ? [`${unknown.length} that this code does not know: upgrade it`] : []),
  ];
  return {
    subject: 'schema',
    level: wrong.length > 0 ? 'warning' : 'fine',
    message: [version ?? 'never migrated', ...wrong].join('; '),
    facts: { ...gap },
  };
}

async function replicaFindings(primary: MikroORM, settings: Settings): Promise<DoctorFinding[]> {
  const targets = settings.replicaUrls.value;
  const options = { ...connectOptions(settings), pool: { max: 1 } };
  const opened = await Promise.all(
    targets.map(async (target) => Replica.open(target, options, await Telemetry.start({}, target))),
  );
  const replicas = new ReplicaSet(primary, opened, settings.maxReplicaLag.value);
  try {
    return (await replicas.health(2_500)).map(({ status, error, lag }, index) => {
      const database = targets[index]?.label ?? '';
      const how = error ?? (lag === null ? 'its lag is not known' : `${lag} bytes behind`);
      return {
        subject: `replica ${index + 1}`,
        level: status === 'up' ? 'fine' : 'warning',
        message: `${database}: ${status === 'up' ? how : `not used, ${how}`}`,
        facts: { database, status, error, lag },
      };
    });
  } finally {
    await replicas.close(1_000);
  }
}
