/* Scores candidate lists with an int8 network: blocks of candidates through one layer after the other.

   A layer is a product of bytes, four outputs (a quad) at a time. Activations lie in groups of 4, [group][candidate][4],
   so that a vector holds a group of LANES candidates and meets four weights that are the same for all of them; what
   comes out of a quad is a vector of that shape again. Partial sums of a run of groups stay in registers for TILE
   vectors, sums of a whole quad in the first-level cache.

   What bounds it without VNNI: of the byte products two vectors start per cycle, as of float products, but each makes 32
   of them in place of 8. Every product takes an addition too, and every run ends in a product that widens and an
   addition to memory: the longer the runs, the nearer to 4 times float32. tests/benchmarks/bytenet_bound.py measures it.

   Reentrant: all that is written lies in the caller's scratch and on the stack. */

#include "inputs.h"
#include "model.h"
#include "vectors.h"

#define BLOCK 128 /* candidates that go through a layer together, so that its weights are read once for most lists */
#define MOST_VECTORS (BLOCK / LANES)
#define TILE 2 /* vectors whose partial sums of four outputs stay in registers */

/* Adds a run of `length` groups to the sums of a quad: weights begins with where each partial sum starts. */
ALWAYS_INLINE void run_tile(const int8_t* weights, const bytes_t* in, ints_t* sums, int length, int vectors,
                            const int tile) {
  partial_t partial[4 * TILE];
  for (int o = 0; o < 4; ++o) {
    for (int v = 0; v < tile; ++v) partial[4 * v + o] = (partial_t)four_bytes(weights + 4 * o);
  }
  for (int g = 0; g < length; ++g, in += vectors) {
    weights += 16;
    for (int o = 0; o < 4; ++o) {
      const ints_t weight = four_bytes(weights + 4 * o);
      for (int v = 0; v < tile; ++v) partial[4 * v + o] = with_products(partial[4 * v + o], in[v], weight);
    }
  }
  for (int i = 0; i < 4 * tile; ++i) sums[i] += whole(partial[i]);
}

static void run_groups(const int8_t* weights, const bytes_t* in, ints_t* sums, const int length, const int vectors) {
  int v = 0;
  for (; v + TILE <= vectors; v += TILE) run_tile(weights, in + v, sums + 4 * v, length, vectors, TILE);
  for (; v < vectors; ++v) run_tile(weights, in + v, sums + 4 * v, length, vectors, 1);
}

/* Sums of a quad to bytes of the next grid, negative ones to its zero: four outputs of a candidate in one lane. */
ALWAYS_INLINE bytes_t requantised(const ints_t* sums, const float* multipliers, int zero) {
  const floats_t most = splat_float((float)(255 - zero));
  ints_t bytes = {0};
  for (int o = 0; o < 4; ++o) {
    const ints_t positive = sums[o] & (sums[o] > 0);
    const floats_t scaled = __builtin_convertvector(positive, floats_t) * multipliers[o];
    bytes |= (rounded(at_most(scaled, most)) + zero) << (8 * o);
  }
  return (bytes_t)bytes;
}

static void score_block(const struct model* m, const float* x, int n, int vectors, bytes_t* in, bytes_t* out,
                        ints_t* results) {
  const int8_t* weights = m->weights;
  const int32_t *runs = m->runs, *biases = m->biases;
  const float* multipliers = m->multipliers;
  quantise_inputs(m, x, n, vectors * sizeof(bytes_t), (uint8_t*)in);
  for (int l = 0; l < m->n_layers; ++l) {
    const struct layer* layer = m->layers + l;
    for (int q = 0; q < layer->n_quads; ++q, biases += 4, multipliers += 4) {
      ints_t sums[4 * MOST_VECTORS];
      for (int v = 0; v < vectors; ++v) {
        for (int o = 0; o < 4; ++o) sums[4 * v + o] = splat(biases[o]);
      }
      for (int g = 0; g < layer->n_groups; weights += 16 * (1 + *runs), g += *runs++) {
        run_groups(weights, in + g * vectors, sums, *runs, vectors);
      }
      for (int v = 0; v < vectors; ++v) out[q * vectors + v] = requantised(sums + 4 * v, multipliers, layer->zero);
    }
    bytes_t* const before = in;
    in = out, out = before;
  }
  const int n_groups = m->layers[m->n_layers - 1].n_quads;
  for (int v = 0; v < vectors; ++v) {
    ints_t sum = {0};
    for (int g = 0; g < n_groups; ++g) {
      const ints_t four = (ints_t)in[g * vectors + v];
      for (int k = 0; k < 4; ++k) sum += (four >> (8 * k) & 255) * m->output[4 * g + k];
    }
    results[v] = sum;
  }
}

int partial_bits(void) { return PARTIAL_BITS; }

/* Bytes of scratch, aligned to 64, that a call needs. */
int64_t scratch_bytes(const struct model* m) { return 2 * (int64_t)m->most_groups * 4 * BLOCK; }

/* x: n rows of floats; scores: n. */
void score(const struct model* m, const float* x, int64_t n, uint8_t* scratch, float* scores) {
  bytes_t *in = (bytes_t*)scratch, *out = in + m->most_groups * MOST_VECTORS;
  int64_t vectors_left = (n + LANES - 1) / LANES;
  int64_t blocks_left = (vectors_left + MOST_VECTORS - 1) / MOST_VECTORS;
  for (; blocks_left > 0; --blocks_left) {
    _Alignas(64) int32_t sums[BLOCK];
    const int vectors = (int)((vectors_left + blocks_left - 1) / blocks_left);
    const int n_block = n < vectors * LANES ? (int)n : vectors * LANES;
    score_block(m, x, n_block, vectors, in, out, (ints_t*)sums);
    for (int i = 0; i < n_block; ++i) scores[i] = (float)(m->base + m->unit * sums[i]);
    x += (int64_t)n_block * m->n_features, scores += n_block, n -= n_block, vectors_left -= vectors;
  }
}
