// Compiled by `tsc`, never run: every method of a repository that returns no promise is known to the door before it.
import type { UnitOfWork } from '../../src/index.ts';
import type { Immediate } from '../../src/database/units/door.ts';

type Repositories = Omit<UnitOfWork, 'em' | 'flush' | 'transact'>;

type WithoutPromise<Repository> = {
  [Name in keyof Repository]: Repository[Name] extends (...given: never[]) => infer Result
    ? Result extends Promise<unknown>
      ? never
      : Name
    : never;
}[keyof Repository];

type Found = { [Name in keyof Repositories]: WithoutPromise<Repositories[Name]> }[keyof Repositories];

const holds = <_ extends true>(): void => {};

holds<[Found] extends [Immediate] ? ([Immediate] extends [Found] ? true : false) : false>();
