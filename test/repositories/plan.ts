import { Client } from 'pg';
import { z } from 'zod';

/** A statement and its values, as the driver sends them. */
export interface Sent {
  readonly text: string;
  readonly values: unknown[];
}

/** A node of a plan. What only `explain (analyze, buffers)` reports is absent elsewhere. */
export interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string | undefined;
  readonly 'Index Name'?: string | undefined;
  readonly Filter?: string | undefined;
  readonly 'Actual Rows'?: number | undefined;
  readonly 'Actual Loops'?: number | undefined;
  readonly 'Temp Written Blocks'?: number | undefined;
  readonly Plans?: readonly Node[] | undefined;
}

const Node: z.ZodType<Node> = z.lazy(() =>
  z.object({
    'Node Type': z.string(),
    'Relation Name': z.string().optional(),
    'Index Name': z.string().optional(),
    Filter: z.string().optional(),
    'Actual Rows': z.number().optional(),
    'Actual Loops': z.number().optional(),
    'Temp Written Blocks': z.number().optional(),
    Plans: z.array(Node).optional(),
  }),
);
const Explained = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: Node })]) })]);

/**
 * What a statement reads and then drops where nothing better can be done, whatever the size of the tables: `sorts`, whether rows are
 * sorted to find those that it is limited to; `skips`, conditions on where it begins that no index answers.
 */
export async function wasteOf(
  url: string,
  { text, values }: Sent,
): Promise<{ sorts: boolean; skips: readonly string[] }> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(
      'set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off; set enable_incremental_sort = off',
    );
    const { rows } = await client.query(`explain (format json) ${text}`, values);
    const [row] = Explained.parse(rows);
    const nodes = nodesOf(row['QUERY PLAN'][0].Plan);
    const limited = nodes.filter((node) => node['Node Type'] === 'Limit').flatMap(nodesOf);
    return {
      sorts: limited.some((node) => node['Node Type'].endsWith('Sort')),
      skips: nodes.flatMap(({ Filter }) => (Filter && /ROW\(| [<>] /.test(Filter) ? [Filter] : [])),
    };
  } finally {
    await client.end();
  }
}

/** Returns the nodes of the plan by which the server runs a statement, with what each did. `settings` are sent before. */
export async function ranBy(url: string, { text, values }: Sent, settings = ''): Promise<Node[]> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(settings);
    const { rows } = await client.query(`explain (analyze, buffers, format json) ${text}`, values);
    const [row] = Explained.parse(rows);
    return nodesOf(row['QUERY PLAN'][0].Plan);
  } finally {
    await client.end();
  }
}

/** Returns the rows that a plan read of a table, through an index or not. */
export function rowsReadOf(table: string, nodes: readonly Node[]): number {
  return nodes
    .filter((node) => node['Relation Name'] === table)
    .reduce((sum, node) => sum + (node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 1), 0);
}

function nodesOf(node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
