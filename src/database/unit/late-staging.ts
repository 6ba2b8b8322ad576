import type { UnitOfWork } from '@mikro-orm/core';

/** Keeps what is staged during a flush for the next one. The ORM empties its stacks when a flush has ended. */
export class LateStaging {
  readonly #stacks: readonly LateStack[];

  constructor(uow: UnitOfWork) {
    this.#stacks = [uow.getPersistStack(), uow.getRemoveStack()].map((stack) => new LateStack(stack));
  }

  /** A flush begins. It ends when the ORM empties the stacks. */
  begin(): void {
    for (const stack of this.#stacks) stack.begin();
  }
}

class LateStack {
  readonly #late = new Set<object>();
  #isFlushing = false;

  constructor(stack: Set<object>) {
    const late = this.#late;
    const { add, delete: remove, clear } = stack;
    Object.assign(stack, {
      add: (entity: object) => {
        if (this.#isFlushing) late.add(entity);
        return add.call(stack, entity);
      },
      delete: (entity: object) => {
        late.delete(entity);
        return remove.call(stack, entity);
      },
      clear: () => {
        clear.call(stack);
        this.#isFlushing = false;
        for (const entity of late) add.call(stack, entity);
        late.clear();
      },
    });
  }

  begin(): void {
    this.#isFlushing = true;
    this.#late.clear();
  }
}
