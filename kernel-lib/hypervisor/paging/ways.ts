/** The ways of paging, by name: one line each. */
import type { GuestPaging, PagedVm } from './paging';
import { LazyShadow } from './shadow';

/** How a guest's page tables can be virtualized without the hardware's help. */
export const PAGING = {
  shadow: (vm: PagedVm): GuestPaging => new LazyShadow(vm),
} as const;

export type PagingName = keyof typeof PAGING;
