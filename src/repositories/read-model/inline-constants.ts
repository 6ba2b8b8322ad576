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

/**
 * Writes the constants of a read model, such as `status = 'active'`, into the text of a statement. PostgreSQL can then use an index that is
 * for these rows only in one plan for all values of the parameters.
 */
export class InlineConstants implements KyselyPlugin {
  readonly #transformer = new ConstantTransformer();

  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(node);
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result;
  }
}

class ConstantTransformer extends OperationNodeTransformer {
  protected override transformValue(node: ValueNode): ValueNode {
    const { value } = node;
    const isConstant = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return isConstant ? ValueNode.createImmediate(value) : node;
  }
}
