/* Memory under Sv32: copying, summing, and a walk through a scrambled list, over 35 pages. */
#include "workload.h"

enum { WORDS = 1 << 14, NODES = 6144 };
static u32 from[WORDS], to[WORDS];
static u16 next[NODES];

u32 work(u32 n) {
  u32 seed = 1, sum = 0;
  for (u32 k = 0; k < WORDS; k++) from[k] = random_next(&seed);
  for (u32 k = 0; k < NODES; k++) next[k] = (u16)((k + 1237) % NODES);
  for (u32 i = 0; i < n; i++) {
    from[i % WORDS] += i;
    for (u32 k = 0; k < WORDS; k++) to[k] = from[k];
    for (u32 k = 0; k < WORDS; k += 4) sum += to[k] ^ to[k + 3];
    for (u32 k = 0, at = 0; k < NODES; k++) {
      at = next[at];
      sum += to[at];
    }
  }
  return sum;
}
