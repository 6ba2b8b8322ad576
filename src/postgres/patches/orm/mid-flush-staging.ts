import type { UnitOfWork } from '@mikro-orm/core';

/** Keeps entities that are staged during a flush for the next one. The ORM clears its stacks when a flush has ended. */
export class MidFlushStaging {
  readonly #uow: UnitOfWork;
  #stacks: readonly MidFlushStack[] | undefined;

  constructor(uow: UnitOfWork) {
    this.#uow = uow;
  }

  /** Records the beginning of a flush. It ends when the ORM clears the stacks. */
  begin(): void {
    this.#stacks ??= [this.#uow.getPersistStack(), this.#uow.getRemoveStack()].map(
      (stack) => new MidFlushStack(stack),
    );
    for (const stack of this.#stacks) stack.begin();
  }
}

class MidFlushStack {
  readonly #added = new Set<object>();
  #isFlushing = false;

  constructor(stack: Set<object>) {
    const added = this.#added;
    const [add, remove, clear] = [stack.add.bind(stack), stack.delete.bind(stack), stack.clear.bind(stack)];
    Object.assign(stack, {
      add: (entity: object) => {
        if (this.#isFlushing) added.add(entity);
        return add(entity);
      },
      delete: (entity: object) => {
        added.delete(entity);
        return remove(entity);
      },
      clear: () => {
        clear();
        this.#isFlushing = false;
        for (const entity of added) add(entity);
        added.clear();
      },
    });
  }

  begin(): void {
    this.#isFlushing = true;
    this.#added.clear();
  }
}
