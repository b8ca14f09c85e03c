/* The inputs of bytenet's kernel by themselves, and the least that its products, and float32's, can take. */

#include "bytenet.c"

/* Candidates to bytes, block by block into the same scratch. */
void inputs_alone(const struct model* m, const float* x, int64_t n, uint8_t* scratch) {
  for (; n > 0; n -= BLOCK, x += (int64_t)BLOCK * m->n_features) {
    quantise_inputs(m, x, n < BLOCK ? (int)n : BLOCK, 4 * BLOCK, scratch);
  }
}

/* So many byte products of vectors that stay in registers, each with its addition; eight chains side by side. */
int32_t byte_products(int64_t n) {
  partial_t sums[8] = {{0}};
  bytes_t bytes = (bytes_t)splat(0x01020304);
  ints_t weights = splat(0x01010101);
  for (int64_t i = 0; i < n; i += 8) {
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) {
      __asm__ volatile("" : "+x"(sums[k]), "+x"(bytes), "+x"(weights));
      sums[k] = with_products(sums[k], bytes, weights);
    }
  }
#pragma GCC unroll 8 /* or the sums would stay in memory for the loop's sake */
  for (int k = 1; k < 8; ++k) sums[0] += sums[k];
  return whole(sums[0])[0];
}

/* So many fused multiply-adds of 8 floats, likewise. */
__attribute__((target("avx2,fma"))) float float_products(int64_t n) {
  __m256 sums[8] = {{0}}, a = _mm256_set1_ps(1.0f), b = _mm256_set1_ps(0.5f);
  for (int64_t i = 0; i < n; i += 8) {
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) {
      __asm__ volatile("" : "+x"(sums[k]), "+x"(a), "+x"(b));
      sums[k] = _mm256_fmadd_ps(a, b, sums[k]);
    }
  }
#pragma GCC unroll 8 /* or the sums would stay in memory for the loop's sake */
  for (int k = 1; k < 8; ++k) sums[0] += sums[k];
  return sums[0][0];
}
