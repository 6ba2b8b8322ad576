/** Why a value is refused. */
export class InvalidSetting {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** Returns the value that was given as an option, or as the text of a variable or a parameter. */
export type SettingType<Value> = (given: unknown) => Value | InvalidSetting;

/** The value that a type returns. */
export type ValueOf<Type> = Type extends SettingType<infer Value> ? Exclude<Value, InvalidSetting> : never;

/** Returns the type that stands for `value` where none is given. */
export function withDefault<Value>(type: SettingType<Value>, value: Value): SettingType<Value> {
  return (given) => (given === undefined ? value : type(given));
}

/** Returns the type whose value may be left out. */
export function optionalSetting<Value>(type: SettingType<Value>): SettingType<Value | undefined> {
  return (given) => (given === undefined ? undefined : type(given));
}

/** A text. */
export const text: SettingType<string> = (given) =>
  typeof given === 'string' ? given : new InvalidSetting('expected a string');

/** Returns the type of one of these words. */
export function wordOf<const Words extends readonly string[]>(words: Words): SettingType<Words[number]> {
  return (given) =>
    words.find((word) => word === given) ?? new InvalidSetting(`expected one of: ${words.join(', ')}`);
}

// Half of the longest delay of a Node timer.
const longest = 2 ** 30;

/** Returns the type of an integer, or of its digits. */
export function integer(least: number, most = longest): SettingType<number> {
  return (given) => {
    const value = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
      ? value
      : new InvalidSetting(`expected an integer from ${least} to ${most}`);
  };
}

const booleans: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  ['true', true],
  ['1', true],
  ['on', true],
  ['yes', true],
  [false, false],
  ['false', false],
  ['0', false],
  ['off', false],
  ['no', false],
]);

/** True or false, also as a word in upper or lower case. */
export const flag: SettingType<boolean> = (given) =>
  booleans.get(typeof given === 'string' ? given.toLowerCase() : given) ??
  new InvalidSetting('expected true or false');

/** A list of URLs, or a text of them. A text without any URL is an error rather than an empty list. */
export const urls: SettingType<readonly string[]> = (given) => {
  const values: unknown = typeof given === 'string' ? (given.match(/[^\s,]+/g) ?? given) : given;
  if (!Array.isArray(values))
    return new InvalidSetting('expected a list of URLs, separated by spaces or commas');
  return values.every((value) => typeof value === 'string')
    ? values
    : new InvalidSetting('expected a string');
};
