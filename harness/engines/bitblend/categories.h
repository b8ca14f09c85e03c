/* Values to sides of splits by category: a code for each value, by table, then a bit of each set for the code.

   A row holds -1 for candidates that go left and 0 for others, as if ranks among the one threshold 0. */

#ifndef BITBLEND_CATEGORIES_H
#define BITBLEND_CATEGORIES_H

#include "model.h"
#include "vectors.h"

#define SET_BYTES 32 /* a bit for each of 256 codes */

ALWAYS_INLINE lanes_t member(const uint8_t* set, lanes_t code) {
#if VECTOR_BYTES == 64
  const __m512i bits = _mm512_set1_epi64(INT64_C(0x8040201008040201)), byte_of = (__m512i)code;
  const __m512i bytes = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i*)set));
  const __m512i eighth = _mm512_and_si512(_mm512_srli_epi16(byte_of, 3), _mm512_set1_epi8(31));
  const __m512i bit = _mm512_shuffle_epi8(bits, _mm512_and_si512(byte_of, _mm512_set1_epi8(7)));
  return (lanes_t)_mm512_movm_epi8(_mm512_test_epi8_mask(_mm512_permutexvar_epi8(eighth, bytes), bit));
#elif VECTOR_BYTES == 32
  const __m256i bits = _mm256_set1_epi64x(INT64_C(0x8040201008040201)), own = (__m256i)code;
  const __m256i eighth = _mm256_and_si256(_mm256_srli_epi16(own, 3), _mm256_set1_epi8(15));
  const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)set));
  const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)set + 1));
  const __m256i bytes = _mm256_blendv_epi8(_mm256_shuffle_epi8(low, eighth), _mm256_shuffle_epi8(high, eighth), own);
  const __m256i bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(own, _mm256_set1_epi8(7)));
  return (lanes_t)_mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
#else
  lanes_t found;
  for (int i = 0; i < VECTOR_BYTES; ++i) {
    const uint8_t own = (uint8_t)code[i];
    found[i] = (int8_t)-(set[own >> 3] >> (own & 7) & 1);
  }
  return found;
#endif
}

/* Fills the rows of ranks of n candidates that splits by category read; a row is `stride` bytes. */
static void rank_categories(const struct model* m, struct candidates rows, int n, int8_t* ranks, int stride) {
  _Alignas(64) uint8_t code[MAX_LANES] = {0};
  for (const struct categories *c = m->categories, *end = c + m->n_category_columns; c < end; ++c) {
    const uint8_t* codes = m->codes + c->codes;
    for (int i = 0; i < n; ++i) {
      const int64_t place = (int64_t)i * m->n_features + c->feature;
      const double value = rows.wide ? ((const double*)rows.x)[place] : ((const float*)rows.x)[place];
      const int listed = value > m->no_category && value < c->n_categories;
      code[i] = value != value ? codes[0] : codes[listed ? 2 + (int)value : 1];
    }
    const uint8_t* set = m->sets + (int64_t)c->set * SET_BYTES;
    int8_t* row = ranks + (int64_t)c->row * stride;
    for (int s = 0; s < c->n_sets; ++s, set += SET_BYTES, row += stride) {
      for (int i = 0; i < stride; i += VECTOR_BYTES) {
        *(lanes_t*)(row + i) = member(set, *(const lanes_t*)(code + i));
      }
    }
  }
}

#endif
