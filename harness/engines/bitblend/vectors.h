/* Byte lanes, one candidate each: the few operations on them that every instruction set spells its own way.

   A mask comes from one comparison and feeds one blend or one decrement; AVX-512 keeps it in a mask register. */

#ifndef BITBLEND_VECTORS_H
#define BITBLEND_VECTORS_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX512BW__) && defined(__AVX512VBMI__)
#include <immintrin.h>
#define VECTOR_BYTES 64
typedef __mmask64 mask_t;
#elif defined(__AVX2__)
#include <immintrin.h>
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

typedef int8_t lanes_t __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef float floats_t __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef int32_t ints_t __attribute__((vector_size(VECTOR_BYTES), may_alias));

#define N_FLOATS (VECTOR_BYTES / 4)
typedef int8_t narrow_t __attribute__((vector_size(N_FLOATS), may_alias));
typedef float four_t __attribute__((vector_size(16), may_alias));
typedef int32_t four_i __attribute__((vector_size(16)));
#define MAX_LANES 128 /* candidates of a block */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The lowest byte of each, for numbers of -128 to 127. */
ALWAYS_INLINE narrow_t narrowed(ints_t wide) {
#if VECTOR_BYTES == 64
  return (narrow_t)_mm512_cvtepi32_epi8((__m512i)wide);
#elif VECTOR_BYTES == 32
  const __m128i low = _mm256_castsi256_si128((__m256i)wide), high = _mm256_extracti128_si256((__m256i)wide, 1);
  const __m128i words = _mm_packs_epi32(low, high), bytes = _mm_packs_epi16(words, words);
  narrow_t narrow;
  memcpy(&narrow, &bytes, sizeof narrow);
  return narrow;
#else
  return __builtin_convertvector(wide, narrow_t);
#endif
}

ALWAYS_INLINE lanes_t splat(int8_t byte) { return byte - (lanes_t){0}; }

#if VECTOR_BYTES == 64
ALWAYS_INLINE mask_t below(lanes_t rank, lanes_t bound) {
  return _mm512_cmpgt_epi8_mask((__m512i)bound, (__m512i)rank);
}
ALWAYS_INLINE lanes_t blend(mask_t mask, lanes_t where, lanes_t elsewhere) {
  return (lanes_t)_mm512_mask_blend_epi8(mask, (__m512i)elsewhere, (__m512i)where);
}
ALWAYS_INLINE lanes_t one_less(mask_t mask, lanes_t leaf) {
  return (lanes_t)_mm512_mask_add_epi8((__m512i)leaf, mask, (__m512i)leaf, _mm512_set1_epi8(-1));
}
#else
typedef lanes_t mask_t;
ALWAYS_INLINE mask_t below(lanes_t rank, lanes_t bound) { return (mask_t)(bound > rank); }
ALWAYS_INLINE lanes_t one_less(mask_t mask, lanes_t leaf) { return leaf + mask; }
ALWAYS_INLINE lanes_t blend(mask_t mask, lanes_t where, lanes_t elsewhere) {
#if VECTOR_BYTES == 32
  return (lanes_t)_mm256_blendv_epi8((__m256i)elsewhere, (__m256i)where, (__m256i)mask);
#else
  return (mask & where) | (~mask & elsewhere);
#endif
}
#endif

#endif
