import { DatabaseTarget } from './database-url.ts';
import { definitions, type SettingName } from './setting-definitions.ts';
import type { Settings } from './resolve-settings.ts';

/** A setting for display; passwords are masked. */
export interface SettingDescription {
  /** The name in the options of `openDatabase`. */
  readonly name: SettingName;
  /** The variable that sets it. */
  readonly variable: string;
  /** Null when it is unset and has no default. */
  readonly value: string | number | boolean | readonly string[] | null;
  readonly source: string;
  /** The unit of the value; null when it has none. */
  readonly unit: string | null;
}

/** Describes every setting, in the order of the documentation. */
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
