import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ImportFinding } from '../../../src/legacy-import/conversion/import-finding.ts';
import { SourceTimeZone } from '../../../src/legacy-import/conversion/source-time-zone.ts';
import { importLegacy } from '../../../src/legacy-import/import-legacy.ts';
import type { SkippedRow } from '../../../src/legacy-import/skipped-rows.ts';
import { openLegacySource } from '../../../src/legacy-import/source/open-legacy-source.ts';
import { connect } from '../../../src/postgres/orm/connect.ts';
import { LegacyWorkshop } from '../legacy-workshop.ts';
import { accountForRows, type Account } from './account-for-rows.ts';
import { postgresStates } from './postgres-facts.ts';
import { postgresRows } from './postgres-rows.ts';
import { fillPostgres, mirror } from './postgres-state.ts';
import { leftBehind, listed, tableOfGuide } from './table-of-states.ts';

const zone = 'America/Sao_Paulo';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
beforeEach(() => workshop.empty());
afterAll(() => workshop.close());

async function importState(state: string): Promise<Account> {
  const name = `${workshop.database.target.parts.database}_${state.toLowerCase()}`;
  await workshop.rows(`create database ${name} template template0`);
  try {
    const orm = await connect(workshop.database.target.withDatabase(name));
    try {
      await fillPostgres(orm, state, postgresRows(state));
    } finally {
      await orm.close(true);
    }
    return await importFrom(workshop.database.url.replace(workshop.database.target.parts.database, name));
  } finally {
    await workshop.rows(`drop database ${name} with (force)`);
  }
}

async function importFrom(url: string): Promise<Account> {
  const findings: ImportFinding[] = [];
  const skipped: SkippedRow[] = [];
  await using source = await openLegacySource(url);
  const dry = await importLegacy(source, null, { zone: new SourceTimeZone(zone) });
  const skip = dry.unknown.filter(({ rows }) => rows > 0).map(({ name }) => name);
  const result = await importLegacy(
    source,
    workshop.database,
    { zone: new SourceTimeZone(zone), skip },
    { onFinding: (finding) => findings.push(finding), onSkipped: (row) => skipped.push(row) },
  );
  return { result, findings, skipped };
}

const described: string[][] = [];

test.each(postgresStates)(
  'every row and document of the PostgreSQL database at %s is accounted for',
  async (state) => {
    const account = await importState(state);

    const copy = mirror(state, postgresRows(state));
    const seen = await accountForRows(copy, workshop.database, account, zone);
    copy.close();
    expect(account.result.failures).toEqual([]);
    const comesIn = account.result.tables.filter(({ rows }) => rows > 0).map(({ table }) => table);
    described.push([state, `${comesIn.length} tables`, listed(leftBehind(account.result).toSorted())]);
    if (process.env['LEGACY_TABLE']) console.log([state, ...Object.values(seen)].join(' | '));
  },
);

test('the guide says for each state from how many tables rows come in, and what is left behind', () => {
  // States that differ in nothing here share a row.
  const groups = described.reduce<string[][]>((rows, [state = '', ...cells]) => {
    const last = rows.at(-1);
    if (last?.slice(1).join() === cells.join()) last[0] += `, \`${state}\``;
    else rows.push([`\`${state}\``, ...cells]);
    return rows;
  }, []);

  expect(tableOfGuide('What comes in from PostgreSQL')).toEqual(groups);
});
