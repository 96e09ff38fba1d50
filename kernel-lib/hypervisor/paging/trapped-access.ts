/**
 * Every access to a page table traps: the guest can neither read nor write its own tables, and each
 * load and store of an entry is carried out by the hypervisor, which keeps the table that the hart
 * follows in step. The oldest way, simple and always right: what it costs is an exit per access.
 * S1, Address Translation: "every access traps". Read `shadow-traced.ts` first: all that differs is
 * that loads trap, too.
 */
import type { PagedVm } from './paging';
import { TracedShadow } from './shadow-traced';

export class TrappedAccess extends TracedShadow {
  constructor(vm: PagedVm) {
    super(vm, 'hidden');
  }
}
