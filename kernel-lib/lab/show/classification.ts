/**
 * What `show` makes of a classification: what is critical and why, how many of each class there
 * are, what the theorems say.
 */
import type { Classification, Finding, InstructionClass, Verdict } from '../../hypervisor/classify';
import type { Table } from '../table';

const CLASSES: readonly InstructionClass[] = [
  'innocuous',
  'privileged',
  'traps in both',
  'configurable',
  'critical',
];

/** The theorems, the classes with their sizes, and what is critical. */
export function classificationTables(classification: Classification): Table[] {
  const { profile, findings, critical } = classification;
  const { virtualizable, recursivelyVirtualizable, hybridVirtualizable } = classification;
  const theorems: Table = {
    caption: `Popek & Goldberg on ${profile.name}`,
    columns: [{ title: 'theorem' }, { title: 'holds' }, { title: 'because of' }],
    rows: [
      ['1: virtualizable', ...verdictCells(virtualizable)],
      ['2: recursively virtualizable', ...verdictCells(recursivelyVirtualizable)],
      ['3: hybrid virtualizable', ...verdictCells(hybridVirtualizable)],
    ],
  };
  const classes: Table = {
    caption: 'Instructions, CSR accesses and registers by class',
    columns: [{ title: 'class' }, { title: 'how many', numeric: true }],
    rows: CLASSES.map((name) => [name, findings.filter((finding) => finding.class === name).length]),
  };
  if (critical.length === 0) return [theorems, classes];
  const guilty: Table = {
    caption: 'Critical: sensitive, and no trap in U mode',
    columns: [{ title: 'what' }, { title: 'stands for' }, { title: 'sensitive to' }],
    rows: critical.map((finding) => [finding.name, finding.standsFor.join('; '), kindsOf(finding)]),
  };
  return [theorems, classes, guilty];
}

function verdictCells({ holds, because }: Verdict): [string, string] {
  return [holds ? 'yes' : 'no', because.map(({ name }) => name).join(', ')];
}

const kindsOf = ({ witnesses }: Finding) => Object.keys(witnesses).join(', ');
