/** The ways of paging, by name: one line each. */
import type { GuestPaging, PagedVm } from './paging';
import { LazyShadow } from './shadow';
import { TracedShadow } from './shadow-traced';
import { TrappedAccess } from './trapped-access';

/** How a guest's page tables can be virtualized without the hardware's help. */
export const PAGING = {
  shadow: (vm: PagedVm): GuestPaging => new LazyShadow(vm),
  'shadow-traced': (vm: PagedVm): GuestPaging => new TracedShadow(vm),
  'trapped-access': (vm: PagedVm): GuestPaging => new TrappedAccess(vm),
} as const;

export type PagingName = keyof typeof PAGING;
