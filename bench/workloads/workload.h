/* What every workload is made of: work(n) does the work n times and gives a checksum. It is the same
   in all builds: RISC-V, native, WebAssembly. REPEAT and CHECKSUM say how often, and what comes out. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

typedef unsigned char u8;
typedef signed char i8;
typedef unsigned short u16;
typedef short i16;
typedef unsigned int u32;
typedef int i32;

u32 work(u32 n);

static inline u32 random_next(u32 *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

#endif
