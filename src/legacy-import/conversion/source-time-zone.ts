import { SettingsError } from '../../errors.ts';

const quarter = 15 * 60_000;
const cacheSize = 20_000;
const day = 86_400_000;

/** The UTC offset of a local time in milliseconds, or why it is ambiguous: skipped or repeated by a clock change. */
export type Offset = number | 'skipped' | 'repeated';

/** The time zone of times in the source that have none. */
export class SourceTimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  // Adjacent rows were written close in time, many in the same quarter of an hour.
  readonly #cache = new Map<number, Offset>();

  /** @throws SettingsError when `name` is neither a zone of the IANA database nor an offset such as `-03:00`. */
  constructor(name: string) {
    this.name = name;
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        calendar: 'iso8601',
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch (cause) {
      throw new SettingsError(`unknown time zone "${name}"; for example America/Sao_Paulo, UTC or -03:00`, {
        cause,
      });
    }
  }

  /** Returns the offset of a local time; `wall` is that time in milliseconds as if it were UTC. */
  offsetAt(wall: number): Offset {
    const begin = Math.floor(wall / quarter) * quarter;
    const cached = this.#cache.get(begin);
    if (cached !== undefined) return cached;
    const offset = this.#find(wall);
    // Most clock changes, but not all historical ones, fall on a quarter of an hour.
    if (this.#find(begin) === offset && this.#find(begin + quarter - 1) === offset) {
      if (this.#cache.size >= cacheSize) this.#cache.clear();
      this.#cache.set(begin, offset);
    }
    return offset;
  }

  #find(wall: number): Offset {
    const candidates = new Set([this.#at(wall - day), this.#at(wall + day)]);
    const [offset, another] = [...candidates].filter((candidate) => this.#at(wall - candidate) === candidate);
    if (offset === undefined) return 'skipped';
    return another === undefined ? offset : 'repeated';
  }

  #at(instant: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(instant)) part[type] = Number(value);
    const wall = new Date(0);
    wall.setUTCFullYear(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'] ?? 1);
    wall.setUTCHours(part['hour'] ?? 0, part['minute'] ?? 0, part['second'] ?? 0);
    return wall.getTime() - Math.floor(instant / 1_000) * 1_000;
  }
}
