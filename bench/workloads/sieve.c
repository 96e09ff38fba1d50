/* The sieve of Eratosthenes over the first quarter of a million odd numbers, one byte each. */
#include "workload.h"

enum { LIMIT = 1 << 18 };
static u8 composite[LIMIT];

u32 work(u32 n) {
  u32 primes = 0;
  for (u32 i = 0; i < n; i++) {
    primes = 0;
    for (u32 k = 0; k < LIMIT; k++) composite[k] = 0;
    for (u32 k = 0; k < LIMIT; k++) {
      if (composite[k]) continue;
      u32 prime = 2 * k + 3;
      primes++;
      for (u32 m = k + prime; m < LIMIT; m += prime) composite[m] = 1;
    }
  }
  return primes;
}
