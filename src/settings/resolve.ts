import { SettingsError } from '../errors.ts';
import { parseDatabaseUrl, type DatabaseTarget, type UrlDefaults } from './database-url.ts';
import {
  definitions,
  refusedVariables,
  standard,
  type SettingName,
  type SettingValue,
} from './definitions.ts';
import { embedded } from './embedded-by-default.ts';
import { environmentFile } from './environment-file.ts';
import type { EnvironmentFile } from './environment-text.ts';
import { shown } from './url-parameters.ts';

/** What is said in the program itself; the options of `openDatabase` have this shape. What is left out, or undefined, is not said. */
export interface GivenSettings {
  readonly url?: string | undefined;
  readonly replicaUrls?: readonly string[] | undefined;
  readonly poolMode?: SettingValue<'poolMode'> | undefined;
  /** Sizes and times; milliseconds. */
  readonly pool?:
    | { readonly [Key in 'max' | 'acquireTimeout' | 'idleTimeout' | 'maxLifetime']?: number | undefined }
    | undefined;
  /** Milliseconds. */
  readonly timeouts?:
    | { readonly [Key in 'statement' | 'lock' | 'idleInTransaction' | 'answer']?: number | undefined }
    | undefined;
  /** Bytes of WAL. */
  readonly maxReplicaLag?: number | undefined;
  /** Milliseconds. */
  readonly slowStatement?: number | undefined;
  /** Milliseconds. */
  readonly closeTimeout?: number | undefined;
  readonly logStatements?: boolean | undefined;
}

/** A value, and where it comes from: `argument`, a variable's name, with ` (.env)` behind it when it came from the file, or `default`. */
export interface Resolved<Value> {
  readonly value: Value;
  readonly source: string;
}

type Targets = {
  /** Null for the embedded server, asked for by name, or, with the source `default`, for want of a database. */
  readonly [Name in 'url' | 'migrationUrl']: Resolved<DatabaseTarget | null>;
} & { readonly replicaUrls: Resolved<readonly DatabaseTarget[]> };

/** Every setting, each with its source. */
export type Settings = Targets & {
  readonly [Name in Exclude<SettingName, keyof Targets>]: Resolved<SettingValue<Name>>;
};

/** What to connect to, and who said so. */
export interface ResolvedDatabase {
  readonly target: DatabaseTarget;
  readonly source: string;
}

/** What a database is wanted for; migrations may need a way around a pooler. */
export type Purpose = 'application' | 'migrations';

/** The setting that names the database for a purpose. */
export function urlSetting(purpose: Purpose): 'url' | 'migrationUrl' {
  return purpose === 'migrations' ? 'migrationUrl' : 'url';
}

/**
 * Every setting: as it was given, else from the environment, else from the `.env` file of the project, else its default. What decides
 * where and how to connect must not be set to nothing visible; of other settings, that means unset. Opens nothing.
 *
 * @throws SettingsError that lists everything that can't be used.
 */
export function resolveSettings(
  given: GivenSettings = {},
  environment: NodeJS.ProcessEnv = process.env,
): Settings {
  const reading = new Reading(given, environment);
  const read = <Name extends SettingName>(name: Name): Resolved<SettingValue<Name>> => reading.of(name);
  const [sslMode, sslRootCert, poolMode] = [read('sslMode'), read('sslRootCert'), read('poolMode')];
  const defaults: UrlDefaults = {
    sslMode: sslMode.value,
    sslRootCert: sslRootCert.value,
    fail: (parameter, value, why) => {
      const [name, { source }] =
        parameter === 'sslmode' ? (['sslMode', sslMode] as const) : (['sslRootCert', sslRootCert] as const);
      throw new SettingsError(`${nameOf(source, name)} is ${value}: ${why}${exampleOf(name, source)}`);
    },
  };
  const target = ({ value, source }: Resolved<string | undefined>): Resolved<DatabaseTarget | null> => ({
    value: reading.attempt(
      () =>
        value === undefined || value.trim() === embedded
          ? null
          : parseDatabaseUrl(value, nameOf(source, 'url'), defaults),
      null,
    ),
    source,
  });
  const url = target(read('url'));
  const migrations = read('migrationUrl');
  const replicas = read('replicaUrls');
  const settings: Settings = {
    url,
    migrationUrl: migrations.source === url.source ? url : target(migrations),
    replicaUrls: {
      value: replicas.value.flatMap((text, index) =>
        reading.attempt(
          () => [parseDatabaseUrl(text, `${nameOf(replicas.source, 'replicaUrls')}[${index}]`, defaults)],
          [],
        ),
      ),
      source: replicas.source,
    },
    sslMode,
    sslRootCert,
    poolMode,
    'pool.max': read('pool.max'),
    'pool.acquireTimeout': read('pool.acquireTimeout'),
    'pool.idleTimeout': read('pool.idleTimeout'),
    'pool.maxLifetime': read('pool.maxLifetime'),
    'timeouts.statement': read('timeouts.statement'),
    'timeouts.lock': read('timeouts.lock'),
    'timeouts.idleInTransaction': read('timeouts.idleInTransaction'),
    'timeouts.answer': read('timeouts.answer'),
    maxReplicaLag: read('maxReplicaLag'),
    slowStatement: read('slowStatement'),
    closeTimeout: read('closeTimeout'),
    logStatements: read('logStatements'),
  };
  // What several settings rest on is wrong once.
  const problems = new Set([...reading.problems, ...contradictions(settings)]);
  if (problems.size > 0) throw new SettingsError([...problems]);
  return settings;
}

/** What of the settings can't be had with the pool mode. */
function contradictions(settings: Settings): string[] {
  const { poolMode, url, replicaUrls } = settings;
  if (poolMode.value === 'external') {
    return (['pool.idleTimeout', 'pool.maxLifetime'] as const)
      .filter((name) => settings[name].source !== 'default')
      .map(
        (name) =>
          `${nameOf(settings[name].source, name)} says how long a connection is kept, but the pool mode external keeps none: leave it out`,
      );
  }
  if (poolMode.value !== 'transaction') return [];
  return [
    ...(url.value ? [[nameOf(url.source, 'url'), url.value] as const] : []),
    ...replicaUrls.value.map(
      (replica, index) => [`${nameOf(replicaUrls.source, 'replicaUrls')}[${index}]`, replica] as const,
    ),
  ]
    .filter(([, { parts }]) => parts.options !== undefined)
    .map(
      ([name]) =>
        `${name} has options, which a pooler in transaction mode refuses or drops: take them out, and write them ` +
        'into the role or the database instead; for example alter role app set search_path = lab',
    );
}

/**
 * A value that was given for a setting, as it counts.
 *
 * @throws SettingsError when the setting can't have it.
 */
export function checkedSetting<Name extends SettingName>(name: Name, value: unknown): SettingValue<Name> {
  const { problem, read } = readSetting(name, { value, source: 'argument' });
  if (problem !== undefined) throw new SettingsError(problem);
  return read;
}

function readSetting<Name extends SettingName>(
  name: Name,
  { value, source }: Resolved<unknown>,
): { readonly read: SettingValue<Name>; readonly problem?: string } {
  const { schema } = definitions[name];
  const { data, error } = schema.safeParse(value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript does not follow a name into the schema that belongs to it
  if (!error) return { read: data as SettingValue<Name> };
  const why = error.issues.map(({ message }) => message).join(', ');
  return {
    read: standard(name),
    problem: `${nameOf(source, name)} is "${shown(String(value))}": ${why}${exampleOf(name, source)}`,
  };
}

/** An example of the setting, by the name that it was set by. */
function exampleOf(name: SettingName, source: string): string {
  return `; for example ${nameOf(source, name).split(' ', 1)[0]}=${definitions[name].example}`;
}

/**
 * The database that was named; migrations look at `MIGRATION_DATABASE_URL` before `DATABASE_URL`. Null for the embedded one. Opens
 * nothing.
 *
 * @throws SettingsError when what was said, of this or of another setting, can't be used.
 */
export function resolveDatabase(
  given: { url?: string | undefined },
  purpose: Purpose,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedDatabase | null {
  const settings = resolveSettings(given, environment);
  const { value, source } = settings[urlSetting(purpose)];
  return value && { target: value, source };
}

/** A setting that has no value that could be read. */
interface Faulty {
  readonly fault: string;
  readonly source: string;
}

const fromFile = ' (.env)';
const variables = [...new Set(Object.values(definitions).flatMap((definition) => definition.variables))];

/** Reads settings one by one, and gathers what is wrong with them. */
class Reading {
  readonly problems: string[] = [];
  readonly #given: GivenSettings;
  // All of the environment comes before all of the file, so that a variable set for one command is never overruled by the file.
  readonly #places: readonly { readonly values: NodeJS.Dict<string>; readonly suffix: string }[];
  readonly #faults: EnvironmentFile['faults'];

  constructor(given: GivenSettings, environment: NodeJS.ProcessEnv) {
    this.#given = given;
    const file = this.attempt(() => environmentFile(variables), { values: {}, faults: {} });
    this.#faults = file.faults;
    this.#places = [
      { values: environment, suffix: '' },
      { values: file.values, suffix: fromFile },
    ];
    // Plain JavaScript may give anything.
    for (const group of ['pool', 'timeouts'] as const) {
      const known = Object.keys(definitions).flatMap((name) => name.split(`${group}.`)[1] ?? []);
      for (const key of Object.keys(given[group] ?? {})) {
        if (!known.includes(key))
          this.problems.push(`${group}.${shown(key)} is none; there are ${known.join(', ')}`);
      }
    }
    for (const [name, why] of Object.entries(refusedVariables)) {
      if (this.#places.some(({ values }) => values[name])) this.problems.push(`${name} ${why}`);
    }
  }

  /** What `work` gives; `instead` when the settings that it reads are wrong. */
  attempt<T>(work: () => T, instead: T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      this.problems.push(...error.problems);
      return instead;
    }
  }

  of<Name extends SettingName>(name: Name): Resolved<SettingValue<Name>> {
    const found = this.#find(name);
    const { read, problem } =
      'fault' in found ? { read: standard(name), problem: found.fault } : readSetting(name, found);
    if (problem !== undefined) this.problems.push(problem);
    return { value: read, source: found.source };
  }

  #find(name: SettingName): Resolved<unknown> | Faulty {
    const argument = argumentOf(this.#given, name);
    if (argument !== undefined)
      return blankFault(name, argument, 'argument') ?? { value: argument, source: 'argument' };
    for (const { values, suffix } of this.#places) {
      for (const variable of definitions[name].variables) {
        const source = `${variable}${suffix}`;
        const fault = suffix === fromFile ? this.#faults[variable] : undefined;
        if (fault) {
          const where = `${variable} (.env, line ${fault.line})`;
          return { fault: `${where} can't be read: ${fault.why}${exampleOf(name, source)}`, source };
        }
        const value = values[variable];
        if (value === undefined) continue;
        const blank = blankFault(name, value, source);
        if (blank) return blank;
        if (!isBlank(value)) return { value, source };
      }
    }
    return { value: undefined, source: 'default' };
  }
}

/** What is wrong with a blank value of a setting that must not be; null for any other. */
function blankFault(name: SettingName, value: unknown, source: string): Faulty | null {
  if (typeof value !== 'string' || !isBlank(value) || definitions[name].blank === 'unset') return null;
  const how = value === '' ? 'empty' : 'blank';
  return {
    fault: `${nameOf(source, name)} is ${how}: give it a value, or leave it out${exampleOf(name, source)}`,
    source,
  };
}

/** Whether a text holds nothing that can be seen: spaces, controls and format characters of Unicode. */
function isBlank(text: string): boolean {
  return !/[^\p{Z}\p{C}]/u.test(text);
}

/** `pool.max` of the options is their `pool`'s `max`. Whoever names a URL for the application means it for migrations too. */
function argumentOf(given: GivenSettings, name: SettingName): unknown {
  let value: unknown = given;
  for (const key of (name === 'migrationUrl' ? 'url' : name).split('.')) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value;
}

function nameOf(source: string, name: SettingName): string {
  if (source !== 'argument') return source;
  return name === 'migrationUrl' ? 'url' : name;
}
