import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { page } from '../../docs/generate-connections.ts';
import { definitions } from '../../src/settings/setting-definitions.ts';
import { resolveSettings } from '../../src/settings/resolve-settings.ts';

const root = join(import.meta.dirname, '../..');

describe('docs/connections.md', () => {
  const written = readFileSync(join(root, 'docs/connections.md'), 'utf8');

  test('is up to date', () => {
    expect(written, 'run `make docs`').toBe(page());
  });

  test('has valid examples', () => {
    // A file that is there on somebody else's machine.
    const examples = Object.entries(definitions).filter(
      ([name]) => name !== 'sslRootCert' && name !== 'sslMode',
    );

    for (const [, { variables, example }] of examples) {
      expect(() => resolveSettings({}, { [variables[0]]: example })).not.toThrow();
    }
  });
});

test('.env.example names every variable', () => {
  const example = readFileSync(join(root, '.env.example'), 'utf8');
  const variables = Object.values(definitions).map(({ variables: [first] }) => first);

  expect(variables.filter((variable) => !new RegExp(`^(?:# )?${variable}=`, 'm').test(example))).toEqual([]);
});

test('.env.example, copied as it is, fits the pooler of docker-compose.yml', () => {
  const { url, poolMode } = resolveSettings({}, parseEnv(readFileSync(join(root, '.env.example'), 'utf8')));
  const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');

  expect(compose).toContain(`\${PGBOUNCER_PORT:-${url.value?.parts.port}}`);
  expect(compose).toContain(`POOL_MODE: ${poolMode.value}\n`);
});
