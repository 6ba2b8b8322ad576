import { PostgreSqlPlatform } from '@mikro-orm/postgresql';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitPlaceholders } from '../../../src/postgres/sql/placeholders.ts';

const platform = new PostgreSqlPlatform();

test('placeholders are where the ORM puts values', () => {
  const piece = fc.constantFrom('?', '??', String.raw`\?`, 'a', ' ', "'", '\\', '--', '$1');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const sql = pieces.join('');
      const { texts, placeholders } = splitPlaceholders(sql);
      const values = [...placeholders.map((kind, index) => (kind === 'name' ? `n${index}` : index)), 0];
      const written = texts.map((text, index) => {
        if (index === placeholders.length) return text;
        return text + (placeholders[index] === 'name' ? `"n${index}"` : String(index));
      });

      expect(written.join('')).toBe(platform.formatQuery(sql, values));
    }),
    { numRuns: 2_000 },
  );
});
