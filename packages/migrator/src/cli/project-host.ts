import { stripVTControlCharacters } from 'node:util';
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { withPoolErrorsHandled } from '../session/driver-options.ts';
import { loadConfiguration, type ConfigurationRequest } from './project/configuration.ts';
import { isLocalDevelopmentDatabase } from './project/local-development-database.ts';
import type { CommandHost, DatabaseLocation } from './host.ts';

/** Returns the host of the commands for a project with a configuration file of the ORM. */
export function projectHost(name: string, request: () => ConfigurationRequest): CommandHost {
  const opened = async <T>(work: (orm: MikroORM) => Promise<T>): Promise<T> => {
    const orm = await MikroORM.init(optionsOf(await loadConfiguration(request())));
    try {
      return await work(orm);
    } finally {
      await orm.close(true);
    }
  };
  return {
    name,
    migrationList: 'migrations.migrationsList',
    withDatabase: (work) => opened((orm) => work(orm, describeServer(orm))),
    withoutDatabase: opened,
    describe: ({ database }) => `PostgreSQL at ${stripVTControlCharacters(database)}`,
    nextStep: () => null,
    isForDevelopment: ({ host }, database) =>
      isLocalDevelopmentDatabase({ host, name: database }, process.env),
    formatMessage: (message) => message.replaceAll(/\bmigrate (?=(?:up|create)\b)/g, `${name} `),
    confirmedCommand: (database) =>
      [name, ...process.argv.slice(2), '--confirm', database].map(quoted).join(' '),
    onCreated: async () => {},
  };
}

function optionsOf(configuration: Options): Options {
  return withPoolErrorsHandled({
    // A missing database is an error to report, not to create.
    ensureDatabase: false,
    discovery: { warnWhenNoEntities: false, ...configuration.discovery },
    ...configuration,
    // Standard output is for results.
    debug: false,
  });
}

function describeServer(orm: MikroORM): DatabaseLocation {
  const { host = 'localhost', port, user, database } = orm.em.getConnection().getConnectionOptions();
  const server = [user && `${user}@`, host, port && `:${port}`].filter(Boolean).join('');
  return { host, database: `${server}/${database ?? ''}` };
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
