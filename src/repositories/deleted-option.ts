/** Whether deleted experiments are seen too, and what belongs to them. Default: hidden. */
export interface DeletedOption {
  readonly deleted?: 'hidden' | 'included' | undefined;
}
