/* System calls, seen from the user program. */
#ifndef VM_USER_H
#define VM_USER_H
#include "workload.h"

enum { EXIT, SUM, TOTAL };

static inline u32 system_call(u32 number, u32 value) {
  register u32 a0 __asm__("a0") = value;
  register u32 a7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
  return a0;
}

#endif
