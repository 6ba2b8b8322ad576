import * as fc from 'fast-check';
import type { TargetParts } from '../../src/settings/database-url.ts';
import { sslModes } from '../../src/settings/url-parameters.ts';

// Whole characters of every kind that people put into names and passwords; U+0000 is none that PostgreSQL could take.
const character = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)) },
  { weight: 2, arbitrary: fc.constantFrom('#', '/', '?', '@', ':', '%', '&', '=', '+', '[', ']', '\\', ' ') },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0x4e00, max: 0x9fff }).map((code) => String.fromCodePoint(code)),
  },
  { weight: 1, arbitrary: fc.constantFrom('🔑', '😀', '👩‍🔬', '🇨🇭', '漢', 'é', 'ß', 'Ω') },
);

/** A text of printable ASCII, CJK and emoji, not empty. */
export const anyText = fc.array(character, { minLength: 1, maxLength: 20 }).map((all) => all.join(''));

const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });

/** The parts of a database that could be. */
export const anyParts: fc.Arbitrary<TargetParts> = fc.record({
  host: fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6(),
    // libpq takes a comma for the next host.
    anyText.map((name) => `/run/${name.replaceAll(',', '.')}`),
  ),
  port: fc.integer({ min: 1, max: 65_535 }),
  user: anyText,
  password: fc.oneof(fc.constant(''), anyText),
  database: anyText,
  tls: fc.constantFrom(...sslModes.filter((mode) => !mode.startsWith('verify'))).map((mode) => ({ mode })),
  applicationName: maybe(anyText),
  connectTimeout: maybe(fc.integer({ min: 0, max: 999_999 })),
  options: maybe(anyText),
  targetSessionAttrs: maybe(
    fc.constantFrom('any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'),
  ),
});
