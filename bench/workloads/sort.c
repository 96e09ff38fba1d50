/* Quicksort of records through a comparison function that the caller chooses: indirect calls. */
#include "workload.h"

enum { COUNT = 2048 };

struct item {
  u32 key, rank;
};
typedef i32 (*comparison)(const struct item *, const struct item *);

static struct item items[COUNT];

static i32 upward(const struct item *a, const struct item *b) {
  return a->key < b->key ? -1 : a->key > b->key;
}
static i32 downward(const struct item *a, const struct item *b) { return upward(b, a); }
static i32 by_low_bits(const struct item *a, const struct item *b) {
  u32 x = a->key & 0xfff, y = b->key & 0xfff;
  return x < y ? -1 : x > y;
}
static i32 by_rank(const struct item *a, const struct item *b) {
  return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static void swap(struct item *a, struct item *b) {
  struct item kept = *a;
  *a = *b;
  *b = kept;
}

static void sort(struct item *first, struct item *last, comparison compare) {
  while (first < last) {
    struct item pivot = first[(last - first) / 2];
    struct item *low = first, *high = last;
    while (low <= high) {
      while (compare(low, &pivot) < 0) low++;
      while (compare(high, &pivot) > 0) high--;
      if (low <= high) swap(low++, high--);
    }
    if (high - first < last - low) {
      sort(first, high, compare);
      first = low;
    } else {
      sort(low, last, compare);
      last = high;
    }
  }
}

u32 work(u32 n) {
  static const comparison comparisons[] = {upward, by_rank, downward, by_low_bits};
  u32 seed = 1, sum = 0;
  for (u32 i = 0; i < n; i++) {
    for (u32 k = 0; k < COUNT; k++) items[k] = (struct item){random_next(&seed), k * 2654435761u};
    for (u32 c = 0; c < 4; c++) {
      sort(items, items + COUNT - 1, comparisons[c]);
      sum = sum * 31 + items[COUNT / 3].key;
    }
  }
  return sum;
}
