import {
  OperationNodeTransformer,
  ValueNode,
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely';

/** The placeholder of a value in a statement that is compiled once and run with many values. */
export class Parameter {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * Writes the constants of a read model, such as `status = 'active'`, into the text of a statement; `Parameter`s stay parameters. PostgreSQL can
 * then use an index that is for these rows only in one plan for all values of the parameters.
 */
export class InlineConstants implements KyselyPlugin {
  readonly #transformer = new ConstantTransformer();

  /** Returns the statement with its constants in its text. */
  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(node);
  }

  /** Returns the result unchanged. */
  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result;
  }
}

class ConstantTransformer extends OperationNodeTransformer {
  /** Returns a constant as a part of the text, and any other value unchanged. */
  protected override transformValue(node: ValueNode): ValueNode {
    const { value } = node;
    const isConstant = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return isConstant ? ValueNode.createImmediate(value) : node;
  }
}
