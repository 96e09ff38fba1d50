/* Strings and calls in the manner of Dhrystone: records that are filled and copied, strings that
   are compared and copied, and many small procedures that get pointers to what they change. */
#include "workload.h"

#define APART __attribute__((noinline))

enum colour { RED, GREEN, BLUE, WHITE };

struct record {
  struct record *next;
  enum colour first, second;
  i32 number;
  char name[32];
};

static struct record records[2];
static i32 table[50], grid[50][50];
static char letter_one, letter_two;
static i32 flag, total;

static APART i32 compare(const char *a, const char *b) {
  while (*a && *a == *b) {
    a++;
    b++;
  }
  return (u8)*a - (u8)*b;
}

static APART void copy(char *to, const char *from) {
  while ((*to++ = *from++))
    ;
}

static APART enum colour same_letter(char a, char b) {
  char c = a;
  if (c != b) return RED;
  letter_one = c;
  return GREEN;
}

static APART i32 greater(const char *a, const char *b) {
  i32 at = 2;
  char letter = 'A';
  while (at <= 2)
    if (same_letter(a[at], b[at + 1]) == RED) {
      letter = 'A';
      at++;
    }
  if (letter >= 'W' && letter < 'Z') at = 7;
  if (letter == 'R') return 1;
  if (compare(a, b) > 0) {
    total = at + 7;
    return 1;
  }
  return 0;
}

static APART i32 is_blue(enum colour colour) { return colour == BLUE; }

static APART void choose(enum colour from, enum colour *to) {
  *to = from;
  if (!is_blue(from)) *to = WHITE;
  switch (from) {
    case RED: *to = RED; break;
    case GREEN: *to = total > 100 ? RED : WHITE; break;
    case BLUE: *to = GREEN; break;
    default: break;
  }
}

static APART void add_two(i32 a, i32 b, i32 *sum) { *sum = a + 2 + b; }

static APART void fill(i32 *one, i32 (*two)[50], i32 a, i32 b) {
  i32 at = a + 5;
  one[at] = b;
  one[at + 1] = one[at];
  one[at + 30] = at;
  for (i32 n = at; n <= at + 1; n++) two[at][n] = at;
  two[at][at - 1] += 1;
  two[at + 20][at] = one[at];
  total = 5;
}

static APART void use_record(struct record *record) {
  struct record *next = record->next;
  *next = *record;
  record->number = 5;
  next->number = record->number;
  next->next = record->next;
  if (next->first == RED) {
    next->number = 6;
    choose(record->second, &next->second);
    add_two(next->number, 10, &next->number);
  } else *record = *next;
}

static APART void set_letters(void) {
  letter_two = letter_one == 'A' ? 'B' : 'C';
  flag = flag | (letter_one == 'A');
}

u32 work(u32 n) {
  static const char pattern[32] = "DHRYSTONE PROGRAM, SOME STRING";
  char one[32], two[32];
  u32 sum = 0;
  records[0].next = &records[1];
  records[0].first = RED;
  records[0].second = BLUE;
  records[0].number = 40;
  copy(records[0].name, pattern);
  copy(one, "DHRYSTONE PROGRAM, 1'ST STRING");
  table[8] = 10;
  for (u32 i = 0; i < n; i++) {
    i32 a = 2, b = 3, c = 0;
    enum colour colour = GREEN;
    set_letters();
    copy(two, "DHRYSTONE PROGRAM, 2'ND STRING");
    flag = !greater(one, two);
    while (a < b) {
      c = 5 * a - b;
      add_two(a, b, &c);
      a++;
    }
    fill(table, grid, a, c);
    use_record(&records[0]);
    for (char letter = 'A'; letter <= letter_two; letter++)
      if (colour == same_letter(letter, 'C')) choose(RED, &colour);
    b = b * a;
    a = b / (c ? c : 1);
    b = 7 * (b - c) - a;
    sum = sum * 31 + (u32)(a + b + c) + (u32)records[1].number + (u32)colour + (u8)two[i & 15];
  }
  return sum;
}
