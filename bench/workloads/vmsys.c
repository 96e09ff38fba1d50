/* System calls under Sv32: a little work, then a call, again and again. */
#include "vm-user.h"

static u32 buffer[32];

u32 work(u32 n) {
  u32 seed = 1, sum = 0;
  for (u32 i = 0; i < n; i++) {
    for (u32 k = 0; k < 8; k++) buffer[k] += random_next(&seed);
    system_call(SUM, buffer[i & 7]);
    if ((i & 15) == 0) sum ^= system_call(TOTAL, 0);
  }
  return sum;
}
