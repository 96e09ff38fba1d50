/* The user program: does the work as often as `repeat` says, and exits with the checksum. */
#include "workload.h"
#include "vm-user.h"

volatile u32 repeat = REPEAT;

void user_main(void) { system_call(EXIT, work(repeat)); }
