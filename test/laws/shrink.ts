/** The same failure with as few parts as possible: leaves out one after the other, as long as it still fails. */
export function shrink<Part>(
  parts: readonly Part[],
  fails: (parts: readonly Part[]) => boolean,
): readonly Part[] {
  let left = parts;
  for (let n = 0; n < left.length; ) {
    const fewer = left.filter((_, at) => at !== n);
    if (fails(fewer)) left = fewer;
    else n++;
  }
  return left;
}
