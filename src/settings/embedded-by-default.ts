import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { environmentFile, projectDirectory } from './environment-file.ts';

/** What `DATABASE_URL` says for the embedded server of the project. */
export const embedded = 'embedded';

/**
 * Why a process whose settings name no database must not take the embedded server instead; null where it may: in development.
 * Anywhere else, a URL that was forgotten would become an empty database that nobody looks for.
 *
 * @throws SettingsError when `.env` can't be read.
 */
export function whyNotEmbedded(environment: NodeJS.ProcessEnv = process.env): string | null {
  const { values, faults } = environmentFile(['CI', 'NODE_ENV']);
  const fault = Object.entries(faults).find(([name]) => environment[name] === undefined);
  if (fault) return `with line ${fault[1]?.line} of .env, which seems to set ${fault[0]} (${fault[1]?.why}),`;
  const url = Object.entries(values).find(([name, value]) => isMisnamed(name, value));
  if (url) return `with a PostgreSQL URL under another name in .env (${url[0]}),`;
  const { CI: ci, NODE_ENV: nodeEnv } = { ...values, ...environment };
  if (ci && !['false', '0'].includes(ci.toLowerCase())) return 'in CI (CI is set)';
  if (nodeEnv) {
    return ['development', 'test'].includes(nodeEnv.toLowerCase())
      ? null
      : `with NODE_ENV=${nodeEnv.replaceAll(/[^\w.-]/g, '…').slice(0, 40)}`;
  }
  return isClone() || [0, 1, 2].some((descriptor) => isatty(descriptor))
    ? null
    : 'in a process without a terminal, unless NODE_ENV=development,';
}

// Variables with URLs of something else than the database of the application.
const others = new Set(['REPLICA_DATABASE_URLS', 'TEST_DATABASE_URL', 'TEST_POOLER_URL']);

/** Whether a variable holds the URL of a PostgreSQL, but is none that is looked for. */
function isMisnamed(name: string, value = ''): boolean {
  return !others.has(name) && /^postgres(?:ql)?(?:\+\w+)?:\/\//i.test(value);
}

/** Whether the working directory is in a clone of this project, rather than in a service that has it installed. */
function isClone(): boolean {
  const root = dirname(dirname(import.meta.dirname));
  return projectDirectory() === root && existsSync(join(root, '.git'));
}
