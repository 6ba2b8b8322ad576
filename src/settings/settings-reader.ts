import { SettingsError } from '../errors.ts';
import {
  definitions,
  refusedVariables,
  defaultFor,
  readValue,
  type SettingName,
  type SettingValue,
} from './setting-definitions.ts';
import { readEnvironmentFile } from './environment-file.ts';
import type { EnvironmentFile } from './parse-environment.ts';
import type { SettingsInput, Resolved } from './settings-input.ts';
import { redactValue } from './url-parameters.ts';
import { InvalidSetting } from './value-types.ts';

/** A setting whose value can't be read. */
interface Faulty {
  readonly fault: string;
  readonly source: string;
}

const fromFile = ' (.env)';
const variables = [...new Set(Object.values(definitions).flatMap((definition) => definition.variables))];

/** Reads settings one by one and collects their problems. */
export class SettingsReader {
  readonly problems: string[] = [];
  readonly #given: SettingsInput;
  // The whole environment precedes the whole file, so that the file never overrides a variable that is set for one command.
  readonly #places: readonly { readonly values: NodeJS.Dict<string>; readonly suffix: string }[];
  readonly #faults: EnvironmentFile['faults'];

  constructor(given: SettingsInput, environment: NodeJS.ProcessEnv) {
    this.#given = given;
    const file = this.attempt(() => readEnvironmentFile(variables), { values: {}, faults: {} });
    this.#faults = file.faults;
    this.#places = [
      { values: environment, suffix: '' },
      { values: file.values, suffix: fromFile },
    ];
    // Callers without types may pass unknown keys.
    for (const group of ['pool', 'timeouts'] as const) {
      const known = Object.keys(definitions).flatMap((name) => name.split(`${group}.`)[1] ?? []);
      for (const key of Object.keys(given[group] ?? {})) {
        if (!known.includes(key))
          this.problems.push(
            `unknown setting "${group}.${redactValue(key)}"; expected one of: ${known.join(', ')}`,
          );
      }
    }
    for (const [name, why] of Object.entries(refusedVariables)) {
      if (this.#places.some(({ values }) => values[name])) this.problems.push(`${name} ${why}`);
    }
  }

  /** Returns the result of `work`; `fallback` when it throws a `SettingsError`, whose problems are collected. */
  attempt<T>(work: () => T, fallback: T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      this.problems.push(...error.problems);
      return fallback;
    }
  }

  /** Returns the value of a setting, or its default when the value is invalid, which is collected. */
  read<Name extends SettingName>(name: Name): Resolved<SettingValue<Name>> {
    const found = this.#find(name);
    const { value, problem } =
      'fault' in found ? { value: defaultFor(name), problem: found.fault } : parseValue(name, found);
    if (problem !== undefined) this.problems.push(problem);
    return { value, source: found.source };
  }

  #find(name: SettingName): Resolved<unknown> | Faulty {
    const argument = argumentOf(this.#given, name);
    if (argument !== undefined)
      return blankFault(name, argument, 'argument') ?? { value: argument, source: 'argument' };
    for (const { values, suffix } of this.#places) {
      for (const variable of definitions[name].variables) {
        const source = `${variable}${suffix}`;
        const fault = suffix === fromFile ? this.#faults[variable] : undefined;
        if (fault) {
          const where = `${variable} (.env, line ${fault.line})`;
          return { fault: `${where} can't be read: ${fault.why}${exampleOf(name, source)}`, source };
        }
        const value = values[variable];
        if (value === undefined) continue;
        const blank = blankFault(name, value, source);
        if (blank) return blank;
        if (!isBlank(value)) return { value, source };
      }
    }
    return { value: undefined, source: 'default' };
  }
}

/** Parses the value of a setting; returns its default and a problem when the value is invalid. */
export function parseValue<Name extends SettingName>(
  name: Name,
  { value, source }: Resolved<unknown>,
): { readonly value: SettingValue<Name>; readonly problem?: string } {
  const read = readValue(name, value);
  if (!(read instanceof InvalidSetting)) return { value: read };
  return {
    value: defaultFor(name),
    problem: `${displayName(source, name)} is "${redactValue(String(value))}": ${read.why}${exampleOf(name, source)}`,
  };
}

/** Returns an example of a setting, under the name that it was set by. */
export function exampleOf(name: SettingName, source: string): string {
  return `; for example ${displayName(source, name).split(' ', 1)[0]}=${definitions[name].example}`;
}

/** Returns the name of a setting in messages: of the variable that set it, or of the option. */
export function displayName(source: string, name: SettingName): string {
  if (source !== 'argument') return source;
  return name === 'migrationUrl' ? 'url' : name;
}

/** Returns the fault of a blank value that a setting refuses; null for any other value. */
function blankFault(name: SettingName, value: unknown, source: string): Faulty | null {
  if (typeof value !== 'string' || !isBlank(value) || definitions[name].blank === 'unset') return null;
  const how = value === '' ? 'empty' : 'blank';
  return {
    fault: `${displayName(source, name)} is ${how}; set a value, or unset it${exampleOf(name, source)}`,
    source,
  };
}

/** Whether a text has no visible character: only spaces, control and format characters of Unicode. */
function isBlank(text: string): boolean {
  return !/[^\p{Z}\p{C}]/u.test(text);
}

/** Returns the option of a setting: `pool.max` is `max` of `pool`. The option `url` is used for migrations too. */
function argumentOf(given: SettingsInput, name: SettingName): unknown {
  let value: unknown = given;
  for (const key of (name === 'migrationUrl' ? 'url' : name).split('.')) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value;
}
