/* CRC-32 by table over a buffer, then copying, clearing and summing it. */
#include "workload.h"

enum { BYTES = 1 << 16 };
static u8 from[BYTES], to[BYTES];
static u32 table[256];

static void make_table(void) {
  for (u32 n = 0; n < 256; n++) {
    u32 value = n;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
    table[n] = value;
  }
}

static u32 crc32(const u8 *bytes, u32 count) {
  u32 crc = ~0u;
  for (u32 n = 0; n < count; n++) crc = table[(crc ^ bytes[n]) & 0xff] ^ crc >> 8;
  return ~crc;
}

u32 work(u32 n) {
  u32 seed = 1, sum = 0;
  make_table();
  for (u32 k = 0; k < BYTES; k++) from[k] = (u8)random_next(&seed);
  for (u32 i = 0; i < n; i++) {
    u32 *a = (u32 *)from, *b = (u32 *)to;
    from[i % BYTES] ^= (u8)i;
    sum ^= crc32(from, BYTES);
    for (u32 k = 0; k < BYTES / 4; k++) b[k] = a[k];
    for (u32 k = 0; k < BYTES / 4; k++) sum += b[k] ^ k;
    for (u32 k = 0; k < BYTES; k += 16) to[k] = 0;
  }
  return sum;
}
