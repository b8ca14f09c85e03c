/* The parts of bitblend's kernel by themselves, and the least that its comparisons and blends can take. */

#include "bitblend.c"

/* Values to rows of ranks, block by block into the same scratch. */
void ranks_alone(const struct model* m, const float* x, int64_t n, int8_t* scratch) {
  const struct candidates rows = {x, 0};
  for (int64_t start = 0; start < n; start += MAX_LANES) {
    fill_ranks(m, from(rows, m, start), block_of(n, start), scratch);
  }
}

/* So many comparisons of vectors that stay in registers, each with a blend or a decrement; eight chains side by side. */
int64_t registers_alone(int64_t n_blends, int64_t n_decrements) {
  lanes_t row[8], other = splat(3), bound = splat(5);
  for (int k = 0; k < 8; ++k) row[k] = splat((int8_t)k);
  for (int64_t step = 0; step < n_blends; step += 8) {
    for (int k = 0; k < 8; ++k) {
      __asm__ volatile("" : "+x"(row[k]), "+x"(bound));
      row[k] = blend(below(row[k], bound), other, row[k]);
    }
  }
  for (int64_t step = 0; step < n_decrements; step += 8) {
    for (int k = 0; k < 8; ++k) {
      __asm__ volatile("" : "+x"(row[k]), "+x"(bound));
      row[k] = one_less(below(row[k], bound), other);
    }
  }
  for (int k = 1; k < 8; ++k) row[0] ^= row[k];
  return row[0][0];
}
