/* How many ways there are to put nine queens on a board so that none attacks another: recursion. */
#include "workload.h"

enum { SIZE = 9 };
static i32 column_of[SIZE];

static i32 is_safe(i32 row, i32 column) {
  for (i32 above = 0; above < row; above++) {
    i32 other = column_of[above];
    i32 distance = row - above;
    if (other == column || other == column - distance || other == column + distance) return 0;
  }
  return 1;
}

static u32 place(i32 row) {
  u32 ways = 0;
  if (row == SIZE) return 1;
  for (i32 column = 0; column < SIZE; column++) {
    if (!is_safe(row, column)) continue;
    column_of[row] = column;
    ways += place(row + 1);
  }
  return ways;
}

u32 work(u32 n) {
  u32 sum = 0;
  for (u32 i = 0; i < n; i++) sum += place(0);
  return sum;
}
