import { relative } from 'node:path';
import { Command } from 'commander';
import type { CreatedMigration } from '../../create-migration.ts';
import { describeLeftOut } from '../../catalog/server-guard.ts';
import type { Rename } from '../../create/decisions.ts';
import { appendNames } from '../../terminal/options.ts';
import { scratchUrlOption } from '../../terminal/scratch-url-option.ts';
import { print, printJson, wrapLine } from '../../terminal/output.ts';
import { UsageError } from '../../terminal/usage-error.ts';
import { withAnswers } from '../../terminal/ask-drops.ts';
import { joinNames } from '../../create/file/join-names.ts';
import { remarksOf } from '../../terminal/certificate-remarks.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly rename: readonly string[];
  readonly drop: readonly string[];
  readonly lossy: readonly string[];
  readonly renameColumn?: string;
  readonly contract?: string;
  readonly scratchUrl?: string;
  readonly verify: boolean;
  readonly json?: boolean;
}

/** Returns the command `create NAME`. */
export function createCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('create')
    .description('write a migration from the difference between entities and migrations')
    .argument('<name>', 'what it does, in snake_case: add_tags')
    .option(
      '--rename <a:b>',
      'a table, column or native enum that is b in the entities (repeatable)',
      appendNames,
      [],
    )
    .option('--drop <name>', 'a table, column or other object to drop (repeatable)', appendNames, [])
    .option(
      '--lossy <column>',
      'a column whose values may change with its type (repeatable)',
      appendNames,
      [],
    )
    .option('--no-verify', 'leave out lint and verify, which take seconds')
    .option(
      '--rename-column <a:b>',
      'write the first part of a rename in two releases: add column b of the entities beside a, such as books.title:name',
    )
    .option('--contract <column>', 'write the second part, for a later release: drop the column a')
    .option(
      '--json',
      'print { name, path, preceding: [{ name, path }], following: [{ name, path }], warnings: [{ direction, message }], certificates: as verify --json, findings: as lint --json, leftOut: [{ migration, statement, reason }], kept: [name] } for programs; name and path are null when there is nothing to write',
    )
    .addOption(scratchUrlOption())
    .action((name: string, given: Given) => {
      const { rename, drop, lossy, contract, scratchUrl, verify, json = false } = given;
      if (!/^[a-z][a-z0-9_]*$/.test(name)) {
        throw new UsageError(`"${name}" can't name a migration: use snake_case, such as add_tags`);
      }
      const renames = rename.map((one) => parseRename('--rename', one));
      const renameColumn =
        given.renameColumn === undefined ? undefined : parseRename('--rename-column', given.renameColumn);
      return host.withDatabase(async (orm) => {
        const { createMigration } = await import('../../create-migration.ts');
        let kept: readonly string[] = [];
        const onKept = (names: readonly string[]) => {
          kept = names;
        };
        const created = await withAnswers({ renames, drops: drop }, (decisions) =>
          createMigration(orm, name, {
            ...decisions,
            lossy,
            renameColumn,
            contract,
            scratchUrl,
            onKept,
            verify,
          }),
        );
        if (created !== null)
          await host.onCreated(
            [...created.preceding, created, ...created.following].map(({ path }) => path),
            [],
          );
        if (json) return printJson({ ...(created ?? nothing), kept });
        if (created === null) print('Entities and migrations agree; nothing was written.');
        else printCreated(created);
        if (renameColumn) print(host.formatMessage(nextStep(renameColumn)));
        for (const one of kept) print(`  No entity describes ${one}: it stays.`);
        if (kept.length > 0)
          print(host.formatMessage('  To drop one of these, name it: --drop books.by_year'));
      });
    });
}

const nothing = {
  name: null,
  path: null,
  preceding: [],
  following: [],
  warnings: [],
  certificates: [],
  findings: [],
  leftOut: [],
};

function printCreated({ path, preceding, following, warnings, leftOut, ...proof }: CreatedMigration): void {
  const paths = [...preceding, { path }, ...following].map((one) => relative('', one.path));
  print(
    paths.length === 1
      ? `Wrote ${paths[0]}. Review it.`
      : `Wrote ${joinNames(paths)}, which run in this order. Review them.`,
  );
  for (const { direction, message } of warnings) print(`  ${direction}: ${message}.`);
  for (const one of leftOut) print(`  ${describeLeftOut(one)}`);
  for (const { migration, direction, rule, object, page } of proof.findings)
    print(wrapLine(`  lint: ${migration}, ${direction}: ${rule}: ${object}; see ${page}`));
  for (const one of proof.certificates) {
    print(wrapLine(`  verify: ${one.migration}: ${one.certificate}`));
    for (const line of remarksOf(one)) print(wrapLine(`    ${line}`));
  }
}

function parseRename(option: string, given: string): Rename {
  const [from, to, ...rest] = given.split(':');
  if (!from || !to || rest.length > 0) {
    throw new UsageError(`${option} ${given} is invalid: use old:new, such as books.title:name`);
  }
  return { from, to };
}

function nextStep({ from }: Rename): string {
  return `  In a later release, when no running code uses ${from}: migrate create NAME --contract ${from}`;
}
