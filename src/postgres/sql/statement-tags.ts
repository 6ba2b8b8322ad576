import { AsyncLocalStorage } from 'node:async_hooks';

// Not utility statements, savepoints included: before PostgreSQL 16, `pg_stat_statements` has an entry for each of their texts.
const firstWord = /^\s*(?:select|insert|update|delete|with|merge|values|copy)\b/i;

/** What tags the statements that some code sends. */
interface Sender {
  readonly tag: string;
  /** Whether it is a method of a repository, which says more than what calls it. */
  readonly isMethod: boolean;
}

const senders = new AsyncLocalStorage<Sender>();

/** Tags the statements that `work` sends with `tag`, except those of the methods of repositories. */
export function tagStatements<T>(tag: string, work: () => T): T {
  return senders.run({ tag, isMethod: false }, work);
}

/** Returns a function that tags the statements of a repository's method with `tag`; those of a method that it calls have the same tag. */
export function methodTagger(tag: string): <T>(work: () => T) => T {
  const sender: Sender = { tag, isMethod: true };
  return (work) => (senders.getStore()?.isMethod ? work() : senders.run(sender, work));
}

/**
 * Returns the tag of a statement that the current code sends, where `call` is the method of the entity manager that it is part of. The text of
 * `em.execute` is the caller's, and stays as it is.
 */
export function tagFor(call: string | undefined): string | undefined {
  return senders.getStore()?.tag ?? (call === 'em.execute' ? undefined : call);
}

/**
 * Returns a statement with its tag as a comment after the first word. In front, PostgreSQL 18 would leave it out of `pg_stat_statements`; at
 * the end, `pg_stat_activity` cuts it off. Returns other statements than queries, changes and COPY unchanged.
 *
 * `tag` must be static: it is the name of a call, and never has a value.
 */
export function taggedText(text: string, tag: string): string {
  const [word] = firstWord.exec(text) ?? [];
  return word === undefined ? text : `${word} /*${tag}*/${text.slice(word.length)}`;
}

/** A prepared statement with a tag. */
interface TaggedStatement {
  readonly name: string;
  readonly text: string;
}

// By text and tag. There are few: the calls that send a text without values.
const prepared = new Map<string, Map<string, TaggedStatement>>();

/** Returns the statement of `name`, with another name for each tag: a connection keeps one text for each name. */
export function taggedStatement(name: string, text: string, tag: string): TaggedStatement {
  let byTag = prepared.get(text);
  if (!byTag) prepared.set(text, (byTag = new Map()));
  let statement = byTag.get(tag);
  if (!statement)
    byTag.set(tag, (statement = { name: `${name}_${byTag.size}`, text: taggedText(text, tag) }));
  return statement;
}

/** Returns a query, a change or a COPY with the W3C trace context in a comment at its end; other statements unchanged. */
export function tracedText(text: string, traceparent: string): string {
  // Not COPY: see above.
  return firstWord.test(text) && !/^\s*copy\b/i.test(text)
    ? `${text} /*traceparent='${traceparent}'*/`
    : text;
}
