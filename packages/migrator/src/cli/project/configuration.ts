import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isNativeError } from 'node:util/types';
import type * as OrmCli from '@mikro-orm/cli';
import { loadEnvironmentVars, Utils } from '@mikro-orm/core';
import { fs } from '@mikro-orm/core/fs-utils';
import type { Options } from '@mikro-orm/postgresql';
import { UsageError } from '../../terminal/usage-error.ts';

/** Which configuration to load. */
export interface ConfigurationRequest {
  /** A path. When absent, the ORM's search order decides. */
  readonly config?: string | undefined;
  /** The name of a configuration, where the file exports several or a function. */
  readonly context?: string | undefined;
}

/**
 * Loads the ORM's configuration as the ORM's command line does, with the variables `MIKRO_ORM_…`. Where `@mikro-orm/cli` is installed, it
 * loads the file, by the TypeScript loader that the project has; elsewhere Node loads it.
 *
 * @throws UsageError when there is no such file, or no such configuration in it.
 */
export async function loadConfiguration({ config, context }: ConfigurationRequest): Promise<Options> {
  if (config !== undefined && !existsSync(config))
    throw new UsageError(`--config: there is no file ${config}`);
  const contextName = context ?? process.env['MIKRO_ORM_CONTEXT_NAME'] ?? 'default';
  await fs.init();
  const cli = await installedCli();
  return cli ? loadedByCli(cli, config, contextName) : loadedByNode(config, contextName);
}

type Cli = typeof OrmCli;

async function installedCli(): Promise<Cli | null> {
  try {
    return await import('@mikro-orm/cli');
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}

async function loadedByCli(
  { CLIHelper }: Cli,
  config: string | undefined,
  context: string,
): Promise<Options> {
  const { preferTs, tsConfigPath, tsLoader } = CLIHelper.getSettings();
  const hasLoader = preferTs !== false && (await CLIHelper.registerTypeScriptSupport(tsConfigPath, tsLoader));
  if (!hasLoader && !runsTypeScript()) process.env['MIKRO_ORM_CLI_PREFER_TS'] ??= '0';
  const loaded = await CLIHelper.getConfiguration(context, config === undefined ? undefined : [config]);
  if (hasLoader || runsTypeScript()) loaded.set('preferTs', loaded.get('preferTs', true));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of whichever driver; MikroORM refuses another than its own
  return loaded.getAll() as Options;
}

async function loadedByNode(config: string | undefined, context: string): Promise<Options> {
  // By this variable the ORM reads `entitiesTs` and `migrations.pathTs`.
  if (runsTypeScript()) process.env['MIKRO_ORM_CLI_ALWAYS_ALLOW_TS'] ??= '1';
  const candidates = config === undefined ? searchPaths() : [config];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new UsageError(
      `no configuration of MikroORM at ${candidates.join(', ')}; pass its path with --config`,
    );
  const found = await named(await exportedBy(path), context, path);
  const environment = loadEnvironmentVars();
  return found.preferEnvVars === false
    ? Utils.mergeConfig({}, environment, found)
    : Utils.mergeConfig({}, found, environment);
}

// In the order of the ORM's command line.
function searchPaths(): string[] {
  const settings: { configPaths?: string[] } = fs.getPackageConfig()['mikro-orm'] ?? {};
  const built = ['dist', 'build'].find((folder) => existsSync(folder)) ?? 'src';
  const paths = [
    process.env['MIKRO_ORM_CLI_CONFIG'],
    ...(settings.configPaths ?? []),
    './src/mikro-orm.config.ts',
    './mikro-orm.config.ts',
    `./${built}/mikro-orm.config.js`,
    './mikro-orm.config.js',
  ];
  return paths
    .filter((path) => path !== undefined)
    .filter((path) => runsTypeScript() || !/\.[mc]?ts$/.test(path));
}

async function exportedBy(path: string): Promise<unknown> {
  try {
    const loaded: { readonly default?: unknown } = await import(pathToFileURL(resolve(path)).href);
    // A configuration may be a promise.
    const exported: unknown = await Promise.resolve(loaded.default ?? loaded);
    return exported;
  } catch (error) {
    const code: unknown = isNativeError(error) && 'code' in error ? error.code : undefined;
    if (code !== 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' && code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    throw new UsageError(
      `Node can't run the TypeScript that ${path} loads: install @mikro-orm/cli and a loader such as tsx, or run with NODE_OPTIONS='--import tsx'`,
      { cause: error },
    );
  }
}

/** Finds a configuration in what a file exports: an object, a function of the name, or an array of either. */
async function named(exported: unknown, context: string, path: string): Promise<Options> {
  for (const candidate of [exported].flat()) {
    const configuration: unknown = typeof candidate === 'function' ? await candidate(context) : candidate;
    if (!isObject(configuration)) continue;
    const { contextName = typeof candidate === 'function' ? context : 'default' } = configuration;
    if (contextName === context) return configuration;
  }
  throw new UsageError(
    `${path} exports no configuration named "${context}"; pass another name with --context`,
  );
}

function isObject(value: unknown): value is Options {
  return typeof value === 'object' && value !== null;
}

function runsTypeScript(): boolean {
  return Boolean(process.features.typescript) || Utils.detectTypeScriptSupport();
}
