import { JsonProperty, RawQueryFragment, Utils, type Platform } from '@mikro-orm/core';
import { parameterPositions } from '../../sql/parameter-positions.ts';
import { splitPlaceholders, type Placeholder, type Template } from '../../sql/placeholders.ts';
import { TemplateWriter } from './template-writer.ts';
import { toBoundValue, type BoundValue } from './to-bound-value.ts';

/** A statement as it is sent. */
export interface BoundStatement {
  readonly sql: string;
  readonly values: readonly (string | null)[];
}

/** A statement of the ORM, and which of its placeholders become parameters. */
interface Known extends Template {
  readonly isParameter: readonly boolean[];
}

// The protocol counts the parameters of a statement with 16 bits.
const maxParameters = 65_535;

// The ORM writes the same texts again and again. Characters of all texts that are kept.
const maxCharacters = 2_000_000;
const known = new Map<string, Known>();
let characters = 0;

/**
 * Returns a statement of the ORM with its values as parameters, where PostgreSQL reads a parameter as it reads a literal. The other values, and
 * those of a statement with more than 65,535, are written into the text, as the ORM does. Fragments of `raw` are treated as parts of the statement.
 *
 * @throws InvalidJsonError for a document that can't be stored unchanged.
 */
export function bindValues(sql: string, given: readonly unknown[], platform: Platform): BoundStatement {
  // Without values, the ORM leaves a text as it is.
  if (given.length === 0) return { sql, values: [] };
  const { statement, values } = resolved(sql, given);
  const { texts, placeholders, isParameter } = statement;
  const bound: (string | null)[] = [];
  let text = texts[0] ?? '';
  for (const [index, placeholder] of placeholders.entries()) {
    const value = values[index];
    const parameters = isParameter[index] === true ? parametersOf(value, platform) : null;
    text += parameters ? numbered(parameters, bound) : literal(placeholder, value, platform);
    text += texts[index + 1] ?? '';
  }
  if (bound.length > maxParameters) return { sql: platform.formatQuery(sql, given), values: [] };
  return { sql: text, values: bound };
}

/** Adds parameters to `bound`. Returns their placeholders in PostgreSQL's form. */
function numbered(parameters: readonly BoundValue[], bound: (string | null)[]): string {
  let text = '';
  for (const { value, type } of parameters) {
    bound.push(value);
    text += `${text === '' ? '' : ', '}$${bound.length}${type === undefined ? '' : `::${type}`}`;
  }
  return text;
}

function literal(placeholder: Placeholder, value: unknown, platform: Platform): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM passes any value too, and throws for one that is no name
  return placeholder === 'name' ? platform.quoteIdentifier(value as string) : platform.quoteValue(value);
}

/** Returns the parameters of a value; those of its elements for an array, which the ORM writes as a list. Null where one can't be a parameter. */
function parametersOf(value: unknown, platform: Platform): readonly BoundValue[] | null {
  if (!Array.isArray(value) || JsonProperty in value) {
    const parameter = toBoundValue(value, platform);
    return parameter && [parameter];
  }
  const parameters: BoundValue[] = [];
  for (const element of value.flat(Infinity)) {
    // The ORM has no form for a document or null in a list.
    const parameter =
      element === null || Utils.isPlainObject(element) ? null : toBoundValue(element, platform);
    if (!parameter) return null;
    parameters.push(parameter);
  }
  return parameters.length > 0 ? parameters : null;
}

/** Returns the statement and its values, with the fragments among them as parts of the statement. */
function resolved(sql: string, given: readonly unknown[]): { statement: Known; values: readonly unknown[] } {
  if (!given.some((value) => RawQueryFragment.isKnownFragment(value)))
    return { statement: known.get(sql) ?? remember(sql, splitPlaceholders(sql)), values: given };
  const template = new TemplateWriter();
  template.write(sql, given);
  const { key } = template;
  return { statement: known.get(key) ?? remember(key, template), values: template.values };
}

function remember(key: string, template: Template): Known {
  const { texts, placeholders } = template;
  const statement = { texts, placeholders, isParameter: parameterPositions(template) };
  characters += key.length;
  known.set(key, statement);
  for (const [oldest] of known) {
    if (characters <= maxCharacters) break;
    known.delete(oldest);
    characters -= oldest.length;
  }
  return statement;
}
