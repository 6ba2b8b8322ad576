import { DatabaseTarget } from './database-url.ts';
import { definitions, type SettingName } from './definitions.ts';
import type { Settings } from './resolve.ts';

/** A setting for people and programs; passwords are masked. */
export interface SettingDescription {
  /** As in the options of `openDatabase`. */
  readonly name: SettingName;
  /** What to set it by. */
  readonly variable: string;
  /** Null where nobody said anything and there is no default. */
  readonly value: string | number | boolean | readonly string[] | null;
  readonly source: string;
  /** Of the value; null when it has none. */
  readonly unit: string | null;
}

/** Every setting, in the order of the documentation. */
export function describeSettings(settings: Settings): SettingDescription[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of an object that is written out
  const names = Object.keys(definitions) as SettingName[];
  return names.map((name) => {
    const { value, source } = settings[name];
    return {
      name,
      variable: definitions[name].variables[0],
      value:
        value instanceof DatabaseTarget
          ? value.maskedUrl
          : typeof value === 'object' && value !== null
            ? value.map(({ maskedUrl }) => maskedUrl)
            : (value ?? null),
      source,
      unit: unitOf(name),
    };
  });
}

function unitOf(name: SettingName): string | null {
  return definitions[name].unit ?? null;
}
