/* An integer mix in the manner of CoreMark: linked lists that are searched, sorted and reversed,
   small matrices, a state machine over text, and a CRC over all results. */
#include "workload.h"

enum { NODES = 64, SIZE = 12, TEXT = 256 };

struct node {
  struct node *next;
  i16 key;
  i16 value;
};

static struct node nodes[NODES];
static i16 a[SIZE * SIZE], b[SIZE * SIZE];
static i32 c[SIZE * SIZE];
static char text[TEXT];

static u16 crc16(u16 value, u16 crc) {
  for (int bit = 0; bit < 16; bit++) {
    u16 carry = (crc ^ value) & 1;
    crc >>= 1;
    value >>= 1;
    if (carry) crc ^= 0xa001;
  }
  return crc;
}

static struct node *find(struct node *list, i16 key) {
  while (list && list->key != key) list = list->next;
  return list;
}

static struct node *reverse(struct node *list) {
  struct node *result = 0;
  while (list) {
    struct node *next = list->next;
    list->next = result;
    result = list;
    list = next;
  }
  return result;
}

static i32 by_key(const struct node *x, const struct node *y) { return x->key - y->key; }
static i32 by_value(const struct node *x, const struct node *y) { return x->value - y->value; }

/* Merge sort without recursion: runs of length 1, 2, 4, … are merged until one is left. */
static struct node *sort(struct node *list, i32 (*compare)(const struct node *, const struct node *)) {
  for (u32 length = 1;; length *= 2) {
    struct node *rest = list, *tail = 0;
    u32 merges = 0;
    list = 0;
    while (rest) {
      struct node *left = rest, *right = rest;
      u32 left_count = 0, right_count = length;
      merges++;
      while (left_count < length && right) {
        left_count++;
        right = right->next;
      }
      while (left_count > 0 || (right_count > 0 && right)) {
        struct node *one;
        int from_left = left_count > 0 && (right_count == 0 || !right || compare(left, right) <= 0);
        if (from_left) {
          one = left;
          left = left->next;
          left_count--;
        } else {
          one = right;
          right = right->next;
          right_count--;
        }
        if (tail) tail->next = one;
        else list = one;
        tail = one;
      }
      rest = right;
    }
    tail->next = 0;
    if (merges <= 1) return list;
  }
}

static u16 lists(u32 seed, u16 crc) {
  for (u32 n = 0; n < NODES; n++) {
    nodes[n].next = n + 1 < NODES ? &nodes[n + 1] : 0;
    nodes[n].key = (i16)(random_next(&seed) & 0xff);
    nodes[n].value = (i16)(random_next(&seed) & 0x7fff);
  }
  struct node *list = &nodes[0];
  u32 found = 0;
  for (i16 key = 0; key < 32; key++) {
    struct node *hit = find(list, key);
    if (hit) found += (u32)hit->value & 1;
    list = reverse(list);
  }
  list = sort(list, by_value);
  crc = crc16((u16)list->value, crc);
  list = sort(list, by_key);
  crc = crc16((u16)list->key, crc);
  return crc16((u16)found, crc);
}

static u16 matrices(u32 seed, u16 crc) {
  i32 trace = 0;
  for (u32 n = 0; n < SIZE * SIZE; n++) {
    a[n] = (i16)(random_next(&seed) & 0xff);
    b[n] = (i16)(random_next(&seed) & 0xff);
  }
  for (u32 row = 0; row < SIZE; row++)
    for (u32 column = 0; column < SIZE; column++) {
      i32 sum = 0;
      for (u32 k = 0; k < SIZE; k++) {
        i32 product = a[row * SIZE + k] * b[k * SIZE + column];
        sum += ((product >> 2) & 0xf) * ((product >> 5) & 0x7f);
      }
      c[row * SIZE + column] = sum;
    }
  for (u32 n = 0; n < SIZE * SIZE; n++) {
    trace += c[n] > 2000 ? 10 : c[n] & 7;
    crc = n % 16 == 0 ? crc16((u16)c[n], crc) : crc;
  }
  return crc16((u16)trace, crc);
}

enum state { START, SIGN, INTEGER, FRACTION, EXPONENT, INVALID, STATES };

static enum state advance(enum state state, char symbol) {
  int digit = symbol >= '0' && symbol <= '9';
  switch (state) {
    case START:
      return digit ? INTEGER : symbol == '+' || symbol == '-' ? SIGN : symbol == '.' ? FRACTION : INVALID;
    case SIGN:
      return digit ? INTEGER : symbol == '.' ? FRACTION : INVALID;
    case INTEGER:
      return digit ? INTEGER : symbol == '.' ? FRACTION : symbol == 'e' ? EXPONENT : INVALID;
    case FRACTION:
      return digit ? FRACTION : symbol == 'e' ? EXPONENT : INVALID;
    case EXPONENT:
      return digit || symbol == '-' ? EXPONENT : INVALID;
    default:
      return INVALID;
  }
}

static u16 machine(u32 seed, u16 crc) {
  static const char symbols[] = "0123456789012345.e+-,,,x";
  u32 visits[STATES] = {0};
  enum state state = START;
  for (u32 n = 0; n < TEXT; n++) text[n] = symbols[random_next(&seed) % (sizeof symbols - 1)];
  for (u32 n = 0; n < TEXT; n++) {
    state = text[n] == ',' ? START : advance(state, text[n]);
    visits[state]++;
  }
  for (u32 n = 0; n < STATES; n++) crc = crc16((u16)visits[n], crc);
  return crc;
}

u32 work(u32 n) {
  u16 crc = 0xffff;
  for (u32 i = 0; i < n; i++) {
    crc = lists(i * 3 + 1, crc);
    crc = matrices(i * 5 + 2, crc);
    crc = machine(i * 7 + 3, crc);
  }
  return crc;
}
