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
  const { CI: ci, NODE_ENV: nodeEnv } = { ...environmentFile([]).values, ...environment };
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

/** Whether the working directory is in a clone of this project, rather than in a service that has it installed. */
function isClone(): boolean {
  const root = dirname(dirname(import.meta.dirname));
  return projectDirectory() === root && existsSync(join(root, '.git'));
}
