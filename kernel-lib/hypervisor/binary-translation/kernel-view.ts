/**
 * The guest's kernel sees what its user mode doesn't: code of the hypervisor's, to be executed only,
 * and the vCPU page. Even without paging it has a view of its own.
 */
import { csrMask, csrNumber } from '../../isa/csrs';
import { Mode } from '../../isa/registers';
import type { Hart } from '../../machine/hart';
import { PAGE_BYTES, Pte } from '../../machine/page-table';
import { Access } from '../../machine/pmp';
import { View } from '../paging/paging';
import type { Vm } from '../vm';
import { VCPU_PAGE, WINDOW, WINDOW_BYTES } from './layout';

const SATP = csrNumber('satp');
const MSTATUS = csrNumber('mstatus');
const SUM = csrMask('mstatus', 'SUM');
const MXR = csrMask('mstatus', 'MXR');
const KERNEL_VIEWS = [View.Kernel, View.KernelSum, View.KernelMxr, View.KernelSumMxr];

/** What of the guest's pages it may see now. The real MXR stays clear: what can only be executed can't be read. */
export function viewOf({ mode, csrs: { values } }: Hart): View {
  if (mode === Mode.U) return View.User;
  const status = values[SATP] >= 0 ? 0 : values[MSTATUS];
  if ((status & MXR) === 0) return (status & SUM) === 0 ? View.Kernel : View.KernelSum;
  return (status & SUM) === 0 ? View.KernelMxr : View.KernelSumMxr;
}

/** Nothing that is for execution only can be read, whatever the guest has in its MXR. */
export function clearMxr(real: Hart): void {
  real.csrs.modify(MSTATUS, 0, MXR);
}

/** Shows the vCPU page. PMP lets the window through; of the ranges, the first that fits counts. */
export function showVcpuPage(vm: Vm, pa: number): void {
  const window = pa + WINDOW - VCPU_PAGE;
  vm.expose({ base: window, size: WINDOW_BYTES, accesses: [Access.Read, Access.Write] });
  vm.expose({ base: pa, size: PAGE_BYTES, accesses: [] });
  vm.paging.fix(VCPU_PAGE, { pa, rights: Pte.R | Pte.W | Pte.U, views: KERNEL_VIEWS });
}

/** Shows code at a virtual address (unsigned): whole pages of it. */
export function showCode(vm: Vm, va: number, pa: number, bytes: number): void {
  vm.expose({ base: pa, size: bytes, accesses: [Access.Execute] });
  for (let offset = 0; offset < bytes; offset += PAGE_BYTES)
    vm.paging.fix(va + offset, { pa: pa + offset, rights: Pte.X | Pte.U, views: KERNEL_VIEWS });
}
