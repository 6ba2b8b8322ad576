import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readEnvironmentFile, projectDirectory } from './environment-file.ts';

/** The value of `DATABASE_URL` that stands for the embedded server of the project. */
export const embedded = 'embedded';

/**
 * Returns why the embedded server must not be the default of this process; null in development, where it may. Anywhere else, a forgotten
 * URL would silently become an empty database.
 *
 * @throws SettingsError when `.env` can't be read.
 */
export function whyNotEmbedded(environment: NodeJS.ProcessEnv = process.env): string | null {
  const { values, faults } = readEnvironmentFile(['CI', 'NODE_ENV']);
  const fault = Object.entries(faults).find(([name]) => environment[name] === undefined);
  if (fault) return `while line ${fault[1]?.line} of .env seems to set ${fault[0]} (${fault[1]?.why})`;
  const url = Object.entries(values).find(([name, value]) => isMisnamed(name, value));
  if (url) return `while .env sets a PostgreSQL URL under another name (${url[0]})`;
  const { CI: ci, NODE_ENV: nodeEnv } = { ...values, ...environment };
  if (ci && !['false', '0'].includes(ci.toLowerCase())) return 'in CI (CI is set)';
  if (nodeEnv) {
    return ['development', 'test'].includes(nodeEnv.toLowerCase())
      ? null
      : `with NODE_ENV=${nodeEnv.replaceAll(/[^\w.-]/g, '…').slice(0, 40)}`;
  }
  return isClone() || hasTerminal() ? null : 'in a process without a terminal unless NODE_ENV=development';
}

function hasTerminal(): boolean {
  // Loaded here: a service with a URL does not need it.
  const { isatty } = process.getBuiltinModule('node:tty');
  return [0, 1, 2].some((descriptor) => isatty(descriptor));
}

// Variables whose URLs are not those of the application's database.
const otherUrls = new Set(['REPLICA_DATABASE_URLS', 'TEST_DATABASE_URL', 'TEST_POOLER_URL']);

/** Whether a variable that is not a setting holds a PostgreSQL URL. */
function isMisnamed(name: string, value = ''): boolean {
  return !otherUrls.has(name) && /^postgres(?:ql)?(?:\+\w+)?:\/\//i.test(value);
}

/** Whether the working directory is in a clone of this project, not in a service that has installed it. */
function isClone(): boolean {
  const root = dirname(dirname(import.meta.dirname));
  return projectDirectory() === root && existsSync(join(root, '.git'));
}
