import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { resolveSettings } from '../../src/settings/resolve-settings.ts';
import { codeBlocks, pages, readPage } from './code-blocks.ts';

const root = join(import.meta.dirname, '../..');

interface Line {
  readonly place: string;
  readonly words: readonly string[];
}

// Of a line of a shell: the commands of its pipe or list, each as its words without quotes and comments.
function commandsOf(place: string, line: string): Line[] {
  const words = [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(/['"]/g, ''),
  );
  const comment = words.findIndex((word) => word.startsWith('#'));
  const commands: string[][] = [[]];
  for (const word of comment < 0 ? words : words.slice(0, comment)) {
    if (['|', '&&', ';'].includes(word)) commands.push([]);
    else commands.at(-1)?.push(word);
  }
  return commands.map((command) => ({ place, words: command }));
}

// In place of the files of certificates that only the reader has.
const authorities = join(mkdtempSync(join(tmpdir(), 'synthdb-docs-')), 'authorities.pem');
beforeAll(() => writeFileSync(authorities, rootCertificates[0] ?? ''));
afterAll(() => rmSync(dirname(authorities), { recursive: true }));

const shell = codeBlocks.filter(({ language }) => language === 'sh');
const lines = [
  ...shell.flatMap(({ place, code }) => code.split('\n').flatMap((line) => commandsOf(place, line))),
  ...pages.flatMap((page) =>
    [...readPage(page).matchAll(/`((?:\w+=\S+ )*(?:synthdb|make) [^`…]+)`/g)].flatMap(([, code = '']) =>
      // What stands for something else.
      commandsOf(
        page,
        code
          .replaceAll(/\bN\b/g, '1')
          .replaceAll(/<[^>]*>/g, 'x')
          .replaceAll(/[[\]]/g, ''),
      ),
    ),
  ),
].map(({ place, words }) => ({
  place,
  words: words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word))),
}));

test('every synthdb command of the documentation has these arguments and options', () => {
  const commands = lines.filter(({ words }) => words[0] === 'synthdb');
  const problems = commands.flatMap(({ place, words }) => {
    const problem = problemOf(words.slice(1));
    return problem === null ? [] : [`${place}: ${words.join(' ')}: ${problem}`];
  });

  expect(commands.length).toBeGreaterThan(20);
  expect(problems).toEqual([]);
});

function problemOf(words: readonly string[]): string | null {
  let command = createProgram();
  let rest = [...words];
  for (let next = command; ; command = next) {
    const found = command.commands.find((one) => one.name() === rest[0]);
    if (!found) break;
    next = found;
    rest = rest.slice(1);
  }
  try {
    const { operands, unknown } = command.parseOptions(rest);
    const { registeredArguments: taken } = command;
    const most = taken.at(-1)?.variadic ? Infinity : taken.length;
    if (unknown.length > 0) return `there is no ${unknown.join(' ')}`;
    return operands.length > most ? `${command.name()} takes ${most} arguments` : null;
  } catch (error) {
    return String(error);
  }
}

test('every make command of the documentation is accepted', () => {
  const commands = lines.filter(({ words }) => words[0] === 'make');
  const problems = commands.flatMap(({ place, words }) => {
    try {
      execFileSync('make', ['--dry-run', ...words.slice(1)], { cwd: root, stdio: 'pipe' });
      return [];
    } catch (error) {
      return [`${place}: ${words.join(' ')}: ${String(error)}`];
    }
  });

  expect(commands.length).toBeGreaterThan(5);
  expect(problems).toEqual([]);
});

test('every block that sets variables is a valid configuration', () => {
  const blocks = shell.map(({ place, code }) => ({
    place,
    variables: Object.fromEntries(
      [...code.matchAll(/^(?:export )?([A-Z_]+)='?([^'\n]*)'?$/gm)].map(([, name = '', value = '']) => [
        name,
        value.replace(/\/etc\/ssl\/[\w/.-]+/, authorities),
      ]),
    ),
  }));
  const problems = blocks.flatMap(({ place, variables }) => {
    try {
      resolveSettings({}, variables);
      return [];
    } catch (error) {
      return [`${place}: ${String(error)}`];
    }
  });

  expect(blocks.filter(({ variables }) => Object.keys(variables).length > 0).length).toBeGreaterThan(3);
  expect(problems).toEqual([]);
});
