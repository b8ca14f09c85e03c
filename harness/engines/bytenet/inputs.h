/* A candidate's features as bytes of the first grid: logarithms, scaled and clipped as harness/mlp/transform.py does.

   Only additions, multiplications and comparisons of single floats, in a fixed order, so that every instruction set
   and numpy (arithmetic.py) come to the same bytes. */

#ifndef BYTENET_INPUTS_H
#define BYTENET_INPUTS_H

#include <float.h>

#include "model.h"
#include "vectors.h"

#define SIGN ((int32_t)0x80000000)
#define SQRT_HALF 0x3f3504f3 /* its bits */
#define LOG_2 0.693147181f

/* sign(x) * log(1 + |x|) within two roundings; NaN and infinities stay. */
ALWAYS_INLINE floats_t signed_log(floats_t x, const float* terms) {
  const ints_t sign = (ints_t)x & SIGN;
  const floats_t size = (floats_t)((ints_t)x & ~SIGN);
  const floats_t sum = size + 1.0f, lost = size - (sum - 1.0f); /* what the addition rounded off */
  const ints_t exponent = ((ints_t)sum - SQRT_HALF) >> 23;
  const floats_t rest = (floats_t)((ints_t)sum - (exponent << 23)); /* in [sqrt(1/2), sqrt(2)) */
  const floats_t share = (floats_t)(((127 - exponent) << 23) & (exponent < 64)); /* 0 where nothing lost would count */
  const floats_t f = (rest - 1.0f) + lost * share, square = f * f;
  floats_t polynomial = splat_float(terms[0]);
  for (int i = 1; i < N_LOG_TERMS; ++i) polynomial = polynomial * f + terms[i];
  const floats_t log = __builtin_convertvector(exponent, floats_t) * LOG_2 + ((f - square * 0.5f) + square * f * polynomial);
  return (floats_t)((ints_t)where(size <= FLT_MAX, log, size) | sign);
}

ALWAYS_INLINE ints_t input_bytes(const struct model* m, floats_t x, int feature) {
  floats_t scale, shift;
  memcpy(&scale, m->scale + feature, sizeof scale);
  memcpy(&shift, m->shift + feature, sizeof shift);
  const floats_t values = signed_log(x, m->log_terms) * scale + shift;
  const floats_t present = (floats_t)((ints_t)values & (values == values)); /* a missing value is the mean */
  const floats_t clipped = at_least(at_most(present, splat_float(m->input_most)), splat_float(m->input_least));
  return rounded(clipped) + m->input_zero;
}

/* Bytes of LANES features of one candidate into their groups, which lie `stride` bytes apart. */
ALWAYS_INLINE void store_inputs(const struct model* m, floats_t x, int feature, int stride, uint8_t* bytes) {
  const narrow_t narrow = narrowed(input_bytes(m, x, feature));
  for (int i = 0; i < LANES; i += 4) memcpy(bytes + (feature + i) / 4 * stride, (const uint8_t*)&narrow + i, 4);
}

/* bytes: of each group of 4 inputs, those of some candidates, of whom n are there; groups lie `stride` bytes apart. */
static void quantise_inputs(const struct model* m, const float* x, int n, int stride, uint8_t* bytes) {
  const int whole = m->n_features / LANES * LANES, rest = m->n_features - whole;
  uint8_t* const indicators = bytes + (m->n_features + CHUNK - 1) / CHUNK * (CHUNK / 4) * stride;
  for (int c = 0; c < n; ++c, x += m->n_features) {
    floats_t own = {0};
    for (int feature = 0; feature < whole; feature += LANES) {
      memcpy(&own, x + feature, sizeof own);
      store_inputs(m, own, feature, stride, bytes + 4 * c);
    }
    if (rest) {
      own = (floats_t){0};
      memcpy(&own, x + whole, rest * sizeof(float));
      store_inputs(m, own, whole, stride, bytes + 4 * c);
    }
    for (int i = 0; i < m->n_missing; ++i) {
      const float value = x[m->missing[i]];
      indicators[i / 4 * stride + 4 * c + i % 4] = (uint8_t)(value == value ? m->input_zero : m->missing_byte);
    }
  }
}

#endif
