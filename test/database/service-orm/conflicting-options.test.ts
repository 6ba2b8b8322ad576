import { EntityCaseNamingStrategy, UnderscoreNamingStrategy, type EntityMetadata } from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { describe, expect, test } from 'vitest';
import { SettingsError, withSynthLab } from '../../../src/index.ts';

const clientUrl = 'postgresql://app:secret@127.0.0.1:5432/lab';

function problemsOf(options: object, connection?: object): readonly string[] {
  try {
    withSynthLab({ clientUrl, ...options }, connection);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  throw new Error('should be refused');
}

class OtherDriver extends PostgreSqlDriver {}

class Prefixing extends UnderscoreNamingStrategy {
  override propertyToColumnName(property: string): string {
    return `c_${super.propertyToColumnName(property)}`;
  }
}

describe('a conflicting option', () => {
  test.for<[name: string, options: object, problem: RegExp]>([
    ['a driver', { driver: OtherDriver }, /^driver is OtherDriver, .*leave it out$/],
    [
      'a host',
      { host: 'elsewhere' },
      /^host is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a port',
      { port: 5433 },
      /^port is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a user',
      { user: 'other' },
      /^user is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a password',
      { password: 'other-secret' },
      /^password is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a database',
      { dbName: 'other' },
      /^dbName is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a pool',
      { pool: { max: 3 } },
      /^pool is not allowed in the options of withSynthLab: pass it in the second argument/,
    ],
    [
      'options of the driver',
      { driverOptions: { ssl: true } },
      /^driverOptions is not allowed in the options of withSynthLab: .* sslmode/,
    ],
    [
      'replicas',
      { replicas: [{ host: 'replica' }] },
      /^replicas is not allowed in the options of withSynthLab: .* replicaUrls/,
    ],
    [
      'variables of the ORM',
      { preferEnvVars: true },
      /^preferEnvVars is not allowed in the options of withSynthLab: .* DATABASE_URL$/,
    ],
    [
      'transactions switched off',
      { disableTransactions: true },
      /^disableTransactions is not allowed in the options of withSynthLab: .* rolled back$/,
    ],
    ['names of other columns', { namingStrategy: Prefixing }, /would change tables .*experiments/],
    [
      'names as entities have them',
      { namingStrategy: EntityCaseNamingStrategy },
      /would change tables .*experiments/,
    ],
    ['another schema for all', { schema: 'app' }, /would change tables .*experiments/],
    [
      'a hook that changes our tables',
      { discovery: { onMetadata: (meta: EntityMetadata) => void (meta.tableName = `x_${meta.tableName}`) } },
      /would change tables .*experiments/,
    ],
    [
      'other rules of references',
      { schemaGenerator: { defaultUpdateRule: 'cascade' } },
      /would change tables .*analysis_runs/,
    ],
  ])('%s is refused', ([, options, problem]) => {
    expect(problemsOf(options)).toEqual([expect.stringMatching(problem)]);
  });

  test('is listed with all others, without values', () => {
    const problems = problemsOf({ host: 'elsewhere', password: 'other-secret', dbName: 'other' });

    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toMatch(/secret|elsewhere/);
  });

  test('in the URL or the settings is refused as by openDatabase', () => {
    expect(problemsOf({ clientUrl: `${clientUrl}?sslmode=maybe` })).toEqual([
      expect.stringContaining('sslmode'),
    ]);
    expect(problemsOf({}, { pool: { max: 0 } })).toEqual([expect.stringContaining('pool.max')]);
    expect(problemsOf({}, { poolMode: 'external', pool: { idleTimeout: 1 } })).toEqual([
      expect.stringContaining('idleTimeout'),
    ]);
  });
});
