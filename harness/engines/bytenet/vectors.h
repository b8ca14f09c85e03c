/* Candidates side by side, one in each 32-bit lane: four bytes of its activations, a sum, or a float.

   Products of bytes are added up in partial sums, in 16 bits where the instruction set has nothing wider: whoever cuts
   the runs sees to it that they hold. */

#ifndef BYTENET_VECTORS_H
#define BYTENET_VECTORS_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#include <immintrin.h>
#define LANES 16
#define PARTIAL_BITS 32
#elif defined(__AVXVNNI__)
#include <immintrin.h>
#define LANES 8
#define PARTIAL_BITS 32
#elif defined(__AVX2__)
#include <immintrin.h>
#define LANES 8
#define PARTIAL_BITS 16
#else
#define LANES 4
#define PARTIAL_BITS 32
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef int32_t ints_t __attribute__((vector_size(4 * LANES), may_alias));
typedef float floats_t __attribute__((vector_size(4 * LANES), may_alias));
typedef uint8_t bytes_t __attribute__((vector_size(4 * LANES), may_alias));
typedef int16_t shorts_t __attribute__((vector_size(4 * LANES), may_alias));
typedef uint8_t narrow_t __attribute__((vector_size(LANES), may_alias));

#if PARTIAL_BITS == 16
typedef shorts_t partial_t;
#else
typedef ints_t partial_t;
#endif

ALWAYS_INLINE ints_t splat(int32_t value) { return value - (ints_t){0}; }
ALWAYS_INLINE ints_t four_bytes(const int8_t* bytes) {
  int32_t four;
  memcpy(&four, bytes, 4);
  return splat(four);
}
ALWAYS_INLINE floats_t splat_float(float value) { return value - (floats_t){0}; }

/* `sums` and, in each lane, four more products: of its bytes and of the four weights. */
ALWAYS_INLINE partial_t with_products(partial_t sums, bytes_t bytes, ints_t weights) {
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
  return (partial_t)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)bytes, (__m512i)weights);
#elif defined(__AVXVNNI__)
  return (partial_t)_mm256_dpbusd_avx_epi32((__m256i)sums, (__m256i)bytes, (__m256i)weights);
#elif defined(__AVX2__)
  return sums + (partial_t)_mm256_maddubs_epi16((__m256i)bytes, (__m256i)weights);
#else
  const int8_t* weight = (const int8_t*)&weights;
  for (int i = 0; i < LANES; ++i) {
    for (int k = 0; k < 4; ++k) sums[i] += bytes[4 * i + k] * weight[k];
  }
  return sums;
#endif
}

ALWAYS_INLINE ints_t whole(partial_t sums) {
#if PARTIAL_BITS == 16
  return (ints_t)_mm256_madd_epi16((__m256i)sums, _mm256_set1_epi16(1));
#else
  return sums;
#endif
}

/* The lowest byte of each lane. */
ALWAYS_INLINE narrow_t narrowed(ints_t bytes) {
#if LANES == 8
  const __m128i low = _mm256_castsi256_si128((__m256i)bytes), high = _mm256_extracti128_si256((__m256i)bytes, 1);
  const __m128i words = _mm_packs_epi32(low, high), narrow = _mm_packus_epi16(words, words);
  return (narrow_t)_mm_cvtsi128_si64(narrow);
#else
  return __builtin_convertvector(bytes, narrow_t);
#endif
}

/* Where the mask's lanes are all ones and all zeros. */
ALWAYS_INLINE floats_t where(ints_t mask, floats_t yes, floats_t no) {
  return (floats_t)((mask & (ints_t)yes) | (~mask & (ints_t)no));
}
#if LANES == 16
ALWAYS_INLINE floats_t at_most(floats_t a, floats_t b) { return (floats_t)_mm512_min_ps((__m512)a, (__m512)b); }
ALWAYS_INLINE floats_t at_least(floats_t a, floats_t b) { return (floats_t)_mm512_max_ps((__m512)a, (__m512)b); }
#elif LANES == 8
ALWAYS_INLINE floats_t at_most(floats_t a, floats_t b) { return (floats_t)_mm256_min_ps((__m256)a, (__m256)b); }
ALWAYS_INLINE floats_t at_least(floats_t a, floats_t b) { return (floats_t)_mm256_max_ps((__m256)a, (__m256)b); }
#else
ALWAYS_INLINE floats_t at_most(floats_t a, floats_t b) { return where(a < b, a, b); }
ALWAYS_INLINE floats_t at_least(floats_t a, floats_t b) { return where(a > b, a, b); }
#endif

/* To whole numbers, half to even, for values within 2^22 of 0. */
ALWAYS_INLINE ints_t rounded(floats_t values) {
  const floats_t shifter = splat_float(12582912.0f);
  return (ints_t)(values + shifter) - (ints_t)shifter;
}

#endif
