/** Random numbers that are the same in every run: mulberry32, by Tommy Ettinger. */
export function randomNumbers(seed: number) {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    /** Any int32. */
    word: () => next() | 0,
    /** From 0 up to, but without, `limit`. */
    below: (limit: number) => next() % limit,
    pick: <T>(list: readonly T[]): T => list[next() % list.length],
  };
}
