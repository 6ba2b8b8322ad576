/** What a placeholder of the ORM stands for: `?` for a value, `??` for a name. */
export type Placeholder = 'value' | 'name';

/** A statement of the ORM between its placeholders: one text more than there are placeholders. */
export interface Template {
  readonly texts: readonly string[];
  readonly placeholders: readonly Placeholder[];
}

/**
 * Splits a statement at its placeholders, exactly where `platform.formatQuery` of the ORM puts values: also in strings and comments, and not
 * directly behind another placeholder. `\?` is a `?` of the text.
 */
export function splitPlaceholders(sql: string): Template {
  const texts: string[] = [];
  const placeholders: Placeholder[] = [];
  let text = '';
  let position = 0;
  const add = (at: number): void => {
    const isName = sql[at + 1] === '?';
    texts.push(text + sql.slice(position, at));
    placeholders.push(isName ? 'name' : 'value');
    text = '';
    position = at + (isName ? 2 : 1);
  };
  if (sql.startsWith('?')) add(0);
  while (position < sql.length) {
    const at = sql.indexOf('?', position + 1);
    if (at < 0) break;
    if (sql[at - 1] === '\\') {
      text += `${sql.slice(position, at - 1)}?`;
      position = at + 1;
    } else add(at);
  }
  texts.push(text + sql.slice(position));
  return { texts, placeholders };
}
