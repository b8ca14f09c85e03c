/* Scores candidate lists with a quantised forest, a byte lane for each candidate: no branch depends on a value.

   A block of candidates becomes rows of ranks (ranks.h). Then every split, from the leaves up, is one comparison of a
   rank row with the split's threshold and one blend of its children's rows of leaf numbers, so that the root's row
   holds each candidate's leaf; values are looked up and added (leaves.h). Splits of one shape run one after the other
   over a group of trees, because a branch on a split's shape would cost more than the split.

   What bounds it, for vectors of 32 candidates on AVX2: a top takes three loads, a comparison, a blend and a store, so
   1.5 cycles where two loads start per cycle; a pair of leaves one load, and a bottom of four leaves three for three
   splits: 3 to 3.7 vector instructions and 2 to 2.7 vectors moved per split. Decoding a split (four indices, a bound)
   is shared by the up to 128 candidates of a block. tests/benchmarks/blend_bound.py measures the parts: of 300 trees of
   64 leaves at 500 candidates the blends are half, ranks a third, leaves a tenth, and as many comparisons and blends
   that never leave their registers take four fifths of what the blends take.

   Reentrant: all that is written lies in the caller's scratch and on the stack. */

#include "blends.h"
#include "categories.h"
#include "exits.h"
#include "model.h"
#include "ranks.h"
#include "vectors.h"

/* The candidates from `start` on. */
static struct candidates from(struct candidates rows, const struct model* m, int64_t start) {
  const int64_t bytes = start * m->n_features * (rows.wide ? sizeof(double) : sizeof(float));
  return (struct candidates){(const char*)rows.x + bytes, rows.wide};
}

static void fill_ranks(const struct model* m, struct candidates x, int n, int8_t* ranks) {
  rank_block(m, x, n, ranks, vectors_of(n) * VECTOR_BYTES);
  rank_categories(m, x, n, ranks, vectors_of(n) * VECTOR_BYTES);
}

static void run_block(const struct model* m, struct candidates x, int n, int8_t* scratch, struct sums* sums,
                      uint8_t* leaf_numbers, int64_t n_all) {
  const struct run all = {m->groups, m->bottoms, m->tops, m->trees, m->n_groups};
  fill_ranks(m, x, n, scratch);
  run_ranked(m, all, scratch, n, scratch + m->n_rank_rows * vectors_of(n) * VECTOR_BYTES, sums, leaf_numbers, n_all);
}

int block_candidates(void) { return MAX_LANES; }
int permuted_leaves(void) { return PERMUTED_LEAVES; }

/* Bytes of scratch, aligned to 64, that a call needs. */
int64_t scratch_bytes(const struct model* m) { return (int64_t)(m->n_rank_rows + m->n_rows) * MAX_LANES; }

/* x: n rows of floats, or of doubles where `wide`; scores: n. */
void score(const struct model* m, const void* x, int wide, int64_t n, int8_t* scratch, float* scores) {
  const struct candidates rows = {x, wide};
  for (int64_t start = 0; start < n; start += MAX_LANES) {
    const int n_block = block_of(n, start);
    struct sums sums = {{0}, {0}};
    run_block(m, from(rows, m, start), n_block, scratch, &sums, 0, 0);
    for (int i = 0; i < n_block; ++i) {
      scores[start + i] = (float)(m->base + m->scale * (int32_t)sum_of(&sums, i));
    }
  }
}

/* leaf_numbers: n for each tree, counted from left to right. */
void leaf_numbers(const struct model* m, const void* x, int wide, int64_t n, int8_t* scratch, uint8_t* leaf_numbers) {
  const struct candidates rows = {x, wide};
  struct sums unused;
  for (int64_t start = 0; start < n; start += MAX_LANES) {
    run_block(m, from(rows, m, start), block_of(n, start), scratch, &unused, leaf_numbers + start, n);
  }
}

/* Bytes of scratch, aligned to 64, that `score_leaving` needs for a list. */
int64_t leaving_scratch_bytes(const struct model* m, int64_t n) {
  return leaving_bytes(m, n) + (int64_t)m->n_rows * MAX_LANES;
}

/* One list, whose candidates may leave between the stages. */
void score_leaving(const struct model* m, const struct exits* e, const void* x, int wide, int64_t n, int8_t* scratch,
                   float* scores) {
  const struct candidates rows = {x, wide};
  struct leaving list = leaving_of(m, (int)n, scratch);
  for (int64_t start = 0; start < n; start += MAX_LANES) {
    fill_ranks(m, from(rows, m, start), block_of(n, start), list.ranks + start * m->n_rank_rows);
  }
  run_stages(m, e, &list, scratch + leaving_bytes(m, n), scores);
}
