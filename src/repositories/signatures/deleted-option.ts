import { oneOf, optional, type FieldChecks } from './index.ts';

/** Whether a read returns deleted experiments, and what belongs to them. Default: `hidden`. */
export interface DeletedOption {
  readonly deleted?: 'hidden' | 'included' | undefined;
}

export const deletedOption: FieldChecks<DeletedOption> = { deleted: optional(oneOf(['hidden', 'included'])) };
