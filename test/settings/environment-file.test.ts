import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SettingsError } from '../../src/errors.ts';
import { whyNotEmbedded } from '../../src/settings/embedded-by-default.ts';
import { resolveSettings } from '../../src/settings/resolve-settings.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'settings-'));
  path = join(directory, '.env');
  await writeFile(join(directory, 'package.json'), '{}');
  vi.spyOn(process, 'cwd').mockReturnValue(directory);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

const lab = 'postgresql://ann:canary@db/lab';

/** Returns the database and the pool mode that a file sets, or its problems. */
async function readFrom(content: string | Uint8Array): Promise<string | readonly string[]> {
  await writeFile(path, content);
  return read();
}

function read(environment: NodeJS.ProcessEnv = {}): string | readonly string[] {
  try {
    const { url, poolMode } = resolveSettings({}, environment);
    const { parts } = url.value ?? {};
    return parts ? `${parts.password} ${parts.host} ${parts.database} ${poolMode.value}` : 'none';
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    if (inspect(error, { depth: 9, showHidden: true }).includes('canary'))
      throw new Error('the error contains the password', { cause: error });
    return error.problems;
  }
}

function utf16(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.from(text, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
}

function utf32(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.alloc(text.length * 4);
  for (const [at, character] of Array.from(text).entries()) {
    const code = character.codePointAt(0) ?? 0;
    if (order === 'le') bytes.writeUInt32LE(code, at * 4);
    else bytes.writeUInt32BE(code, at * 4);
  }
  return bytes;
}

describe('is read', () => {
  const found = 'canary db lab session';

  test.each([
    ['plain', `DATABASE_URL=${lab}`],
    ['with spaces around', `  DATABASE_URL\t = ${lab} \t`],
    ['exported', `export DATABASE_URL=${lab}`],
    ['in double quotes', `DATABASE_URL="${lab}"`],
    ['in single quotes', `DATABASE_URL='${lab}' # why`],
    ['in backticks', `DATABASE_URL=\`${lab}\`#why`],
    ['with a comment', `DATABASE_URL=${lab} # why`],
    [
      'between comments',
      `# DATABASE_URL=x\n#DATABASE_URL: x\n   # set DATABASE_URL=x\nDATABASE_URL=${lab}\n`,
    ],
    ['with CR and LF', `A=1\r\nDATABASE_URL=${lab}\r\nB=2\r\n`],
    ['with CR alone', `A=1\rDATABASE_URL=${lab}\rB=2\r`],
    ['twice: the last assignment wins', `DATABASE_URL=postgresql://x@y/z\nDATABASE_URL=${lab}`],
    [
      'next to similar names',
      `MY_DATABASE_URL: x\nDATABASE_URL_OLD x\nDATABASE_URL=${lab}\nPRISMA.DATABASE_URL=x`,
    ],
    [
      'next to a text that mentions it',
      `NOTE="see DATABASE_URL=x"\nHINT=\${DATABASE_URL}\nDATABASE_URL=${lab}`,
    ],
    ['next to lines that set none of our variables', `whatever\nfoo: bar\n[section]\nDATABASE_URL=${lab}`],
    ['next to bytes of Latin-1', Buffer.from(`# Größe\nNAME=José\nDATABASE_URL=${lab}`, 'latin1')],
    ['with a UTF-8 mark', Buffer.from(`\uFEFFDATABASE_URL=${lab}\n`)],
    ['with a no-break space behind the value', `DATABASE_URL=${lab}\u00a0`],
  ])('%s', async (_, content) => {
    expect(await readFrom(content)).toBe(found);
  });

  test.each([
    ['a "#" within an unquoted password', 'postgresql://ann:a%23b@db/x#y', /unencoded "#"/],
    ['a blank value', '', /DATABASE_URL \(\.env\) is empty/],
    ['a blank value before a comment', ' # none', /DATABASE_URL \(\.env\) is empty/],
    ['a blank value in quotes', '"\u00a0"', /DATABASE_URL \(\.env\) is blank/],
    ['a zero-width space in the host', 'postgresql://ann:canary@db\u200b/lab', /can't be parsed/],
    ['a control character', `${lab}\u0007`, /has a control character/],
    ['curly quotes', `\u201c${lab}\u201d`, /is not a URL/],
    ['single curly quotes', `\u2018${lab}\u2019`, /is not a URL/],
    ['angle quotes', `«${lab}»`, /is not a URL/],
  ])('%s is refused by name', async (_, value, says) => {
    expect(await readFrom(`DATABASE_URL=${value}`)).toEqual([expect.stringMatching(says)]);
  });

  test('as Node reads it when it is plain', async () => {
    const text = `A=1\nDATABASE_URL="${lab}"\nDATABASE_POOL_MODE = transaction\nREPLICA_DATABASE_URLS="${lab}\n  ${lab}"\n`;
    await writeFile(path, text);

    expect(resolveSettings({}, {}).replicaUrls.value).toHaveLength(2);
    expect(await readFrom(text)).toBe('canary db lab transaction');
    expect(read(parseEnv(text))).toBe('canary db lab transaction');
  });

  test('an empty or missing file sets nothing', async () => {
    expect(read()).toBe('none');
    expect(await readFrom('')).toBe('none');
  });
});

const second = (line: string): string => `# first\n${line}\nNODE_ENV=test\n`;

describe('is refused with its line', () => {
  test.each([
    ['YAML', second(`DATABASE_URL: ${lab}`)],
    ['YAML with a "=" in the URL', second(`DATABASE_URL: ${lab}?sslmode=require`)],
    ['JSON', second(`  "DATABASE_URL": "${lab}",`)],
    ['cmd', second(`set DATABASE_URL=${lab}`)],
    ['setx', second(`setx DATABASE_URL "${lab}"`)],
    ['PowerShell', second(`$env:DATABASE_URL="${lab}"`)],
    ['csh', second(`setenv DATABASE_URL ${lab}`)],
    ['declare', second(`declare -x DATABASE_URL=${lab}`)],
    ['a tab behind export', second(`export\tDATABASE_URL=${lab}`)],
    ['Docker', second(`ENV DATABASE_URL ${lab}`)],
    ['a space for "="', second(`DATABASE_URL ${lab}`)],
    ['a name alone', second('DATABASE_URL')],
    ['export of a name alone', second('export DATABASE_URL')],
    ['a quoted name', second(`"DATABASE_URL"=${lab}`)],
    ['+=', second(`DATABASE_URL+=${lab}`)],
    [':=', second(`DATABASE_URL:=${lab}`)],
    ['a comment of another kind', second(`; DATABASE_URL=${lab}`)],
    ['a comment of another language', second(`// DATABASE_URL=${lab}`)],
    ['small letters', second(`database_url=${lab}`)],
    ['a no-break space before the name', second(`\u00a0DATABASE_URL=${lab}`)],
    ['a no-break space behind the name', second(`DATABASE_URL\u00a0=${lab}`)],
    ['a zero-width space before the name', second(`\u200bDATABASE_URL=${lab}`)],
    ['a mark that two files left when they were joined', second(`\uFEFFDATABASE_URL=${lab}`)],
    ['a wide "="', second(`DATABASE_URL＝${lab}`)],
    ['a quote that is not closed', second(`DATABASE_URL="${lab}`)],
    ['a quote that another closes', second(`DATABASE_URL="${lab}'`)],
    ['a quote at the end alone', second(`DATABASE_URL=${lab}"`)],
    ['more behind a quoted value', second(`DATABASE_URL="${lab}"x`)],
    ['a quote that the next setting closes', second(`DATABASE_URL="${lab}\nOTHER="x"`)],
    ['a quote on an earlier line', `OTHER="x\nDATABASE_URL=${lab}\nMORE="y"\n`],
    ['a second assignment', second(`OTHER=1 DATABASE_URL=${lab}`)],
    ['a second assignment behind ";"', second(`OTHER=1; DATABASE_URL=${lab}`)],
    ['a shell that expands', second(`[ -n "$X" ] && export DATABASE_URL=${lab}`)],
    ['NUL bytes', second(`DATABASE_URL=${lab}\0`)],
    ['UTF-16LE with a mark', utf16(`\uFEFF${second(`DATABASE_URL=${lab}`)}`, 'le')],
    ['UTF-16BE with a mark', utf16(`\uFEFF${second(`DATABASE_URL=${lab}`)}`, 'be')],
    ['UTF-16LE without a mark', utf16(`# é漢\r\nDATABASE_URL=${lab}\r\n`, 'le')],
    ['UTF-16BE without a mark', utf16(`# é漢\r\nDATABASE_URL=${lab}\r\n`, 'be')],
    ['UTF-32LE with a mark', utf32(`\uFEFF${second(`DATABASE_URL=${lab}`)}`, 'le')],
    ['UTF-32BE with a mark', utf32(`\uFEFF${second(`DATABASE_URL=${lab}`)}`, 'be')],
    ['UTF-32LE', utf32(second(`DATABASE_URL=${lab}`), 'le')],
    ['UTF-32BE', utf32(second(`DATABASE_URL=${lab}`), 'be')],
    ['Latin-1', Buffer.from(second('DATABASE_URL=postgresql://ann:canaryé@db/lab'), 'latin1')],
    ['Windows-1252 quotes', Buffer.from(second(`DATABASE_URL=\x93${lab}\x94`), 'latin1')],
  ])('%s', async (_, content) => {
    expect(await readFrom(content)).toEqual([
      expect.stringMatching(
        /^DATABASE_URL \(\.env, line 2\) can't be read: .*; for example DATABASE_URL=postgresql:/,
      ),
    ]);
  });

  test('each variable of a line that sets two', async () => {
    const problems = await readFrom('DATABASE_POOL_MAX=5 DATABASE_POOL_MODE=transaction');

    expect(problems).toEqual([
      expect.stringMatching(/^DATABASE_POOL_MODE \(\.env, line 1\)/),
      expect.stringMatching(/^DATABASE_POOL_MAX \(\.env, line 1\)/),
    ]);
  });

  test('unless the environment sets the variable', async () => {
    await writeFile(path, `DATABASE_URL: ${lab}\n`);

    expect(read({ DATABASE_URL: lab })).toBe('canary db lab session');
  });
});

describe('a URL under a misspelled name refuses the embedded server', () => {
  test.each([
    ['a hyphen', `DATABASE-URL=${lab}`],
    ['a space', `DATABASE URL=${lab}`],
    ['a no-break space', `DATABASE\u00a0_URL=${lab}`],
    ['a zero-width space', `DATABASE_\u200bURL=${lab}`],
    ['wide letters', `ＤＡＴＡＢＡＳＥ_ＵＲＬ=${lab}`],
    ['a control character', `DATABASE_\u0007URL=${lab}`],
  ])('%s', async (_, line) => {
    await writeFile(path, second(line));

    expect(whyNotEmbedded({ NODE_ENV: 'development' })).toMatch(
      /^while \.env sets a PostgreSQL URL under another name \([^:]+\)$/,
    );
  });

  test('unlike a file without a URL', async () => {
    await writeFile(path, second('NAME=value'));

    expect(whyNotEmbedded({ NODE_ENV: 'development' })).toBeNull();
  });
});

describe('throws SettingsError for', () => {
  const refused = [expect.stringMatching(/\.env can't be read; /)];

  test('a directory', async () => {
    await mkdir(path);

    expect(read()).toEqual(refused);
  });

  test('a dangling link', async () => {
    await symlink(join(directory, 'nowhere'), path);

    expect(read()).toEqual(refused);
  });
});
