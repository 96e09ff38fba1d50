/* What compilers may call where there is no library: for the build for WebAssembly. */
typedef __SIZE_TYPE__ size;

void *memset(void *to, int value, size count) {
  unsigned char *bytes = to;
  while (count--) *bytes++ = (unsigned char)value;
  return to;
}

void *memcpy(void *to, const void *from, size count) {
  unsigned char *bytes = to;
  const unsigned char *source = from;
  while (count--) *bytes++ = *source++;
  return to;
}
