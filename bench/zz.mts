import { createMachine, guest, TECHNIQUES, Firmware } from 'kernel-lib';
const [,, engine = 'interpreter', forks = '30', rounds = '5', techniques='trap-and-emulate'] = process.argv;
const image = guest('nano-os', { FORKS: Number(forks) });
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1000; };
const med = (a: number[]) => a.sort((x, y) => x - y)[a.length >> 1]!;
const t: Record<string, number[]> = { bare: [] };
for (let r = 0; r < Number(rounds); r++) {
  { const m = createMachine({ engine: engine as any }); new Firmware(m).boot(image); const s = cpu(); m.run(); t.bare!.push(cpu() - s); }
  for (const name of techniques.split(',')) { const h = TECHNIQUES[name as 'trap-and-emulate'](createMachine({ engine: engine as any })); h.boot(image); const s = cpu(); h.run(); (t[name] ??= []).push(cpu() - s);
   if (r === 0) { const rep = h.report(); console.log(name, 'exits', rep.exits.reduce((a, e) => a + e.count, 0), rep.direct, rep.emulated); } }
}
console.log(engine, forks, Object.entries(t).map(([k, v]) => `${k} ${med(v).toFixed(0)}ms ${(med(t.bare!) / med(v)).toFixed(3)}`).join(' | '));
