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

#include "categories.h"
#include "leaves.h"
#include "model.h"
#include "ranks.h"
#include "vectors.h"

ALWAYS_INLINE lanes_t* row_of(const lanes_t* rows, unsigned index, const int vectors) {
  return (lanes_t*)((char*)rows + index * (size_t)(vectors * VECTOR_BYTES));
}

ALWAYS_INLINE const struct bottom* run_bottoms(const struct bottom* op, int n, const lanes_t* ranks, lanes_t* out,
                                               const int vectors, const int left_pair, const int right_pair) {
  for (int k = 0; k < n; ++k, ++op, out += vectors) {
    const lanes_t *rank = row_of(ranks, op->rank_row[0], vectors), bound = splat(op->bound[0]);
    const lanes_t *left_rank = row_of(ranks, op->rank_row[1], vectors), left_bound = splat(op->bound[1]);
    const lanes_t *right_rank = row_of(ranks, op->rank_row[2], vectors), right_bound = splat(op->bound[2]);
    const lanes_t last_left = splat((int8_t)(op->leaf + left_pair)), last_right = last_left + (int8_t)(right_pair + 1);
    for (int v = 0; v < vectors; ++v) {
      const mask_t goes_left = below(rank[v], bound);
      if (!left_pair && !right_pair) {
        out[v] = one_less(goes_left, last_right);
        continue;
      }
      const lanes_t left = left_pair ? one_less(below(left_rank[v], left_bound), last_left) : last_left;
      const lanes_t right = right_pair ? one_less(below(right_rank[v], right_bound), last_right) : last_right;
      out[v] = blend(goes_left, left, right);
    }
  }
  return op;
}

ALWAYS_INLINE const struct top* run_tops(const struct top* op, int n, const lanes_t* ranks, lanes_t* rows,
                                         const int vectors) {
  for (int k = 0; k < n; ++k, ++op) {
    const lanes_t *rank = row_of(ranks, op->rank_row, vectors), bound = splat((int8_t)op->bound);
    const lanes_t *left = row_of(rows, op->left, vectors), *right = row_of(rows, op->right, vectors);
    lanes_t* out = row_of(rows, op->out, vectors);
    for (int v = 0; v < vectors; ++v) out[v] = blend(below(rank[v], bound), left[v], right[v]);
  }
  return op;
}

struct sums {
  _Alignas(64) uint32_t permuted[MAX_LANES], listed[MAX_LANES];
};

ALWAYS_INLINE void run_trees(const struct model* m, const lanes_t* ranks, lanes_t* rows, struct sums* sums,
                             uint8_t* leaf_numbers, int64_t n_all, int n, const int vectors) {
  const struct bottom* bottom = m->bottoms;
  const struct top* top = m->tops;
  const struct tree* tree = m->trees;
  for (int i = 0; i < m->n_leaf_rows; ++i) {
    for (int v = 0; v < vectors; ++v) rows[i * vectors + v] = splat((int8_t)i);
  }
  for (int g = 0; g < m->n_groups; ++g) {
    const struct group* group = m->groups + g;
    const int* count = group->n_bottoms;
    lanes_t* out = rows + m->n_leaf_rows * vectors;
    bottom = run_bottoms(bottom, count[0], ranks, out, vectors, 0, 0), out += count[0] * vectors;
    bottom = run_bottoms(bottom, count[1], ranks, out, vectors, 0, 1), out += count[1] * vectors;
    bottom = run_bottoms(bottom, count[2], ranks, out, vectors, 1, 0), out += count[2] * vectors;
    bottom = run_bottoms(bottom, count[3], ranks, out, vectors, 1, 1);
    top = run_tops(top, group->n_tops, ranks, rows, vectors);
    if (leaf_numbers) {
      for (int t = 0; t < group->n_trees; ++t, leaf_numbers += n_all) {
        memcpy(leaf_numbers, rows + tree[t].root * vectors, n);
      }
    } else {
#if PERMUTED_LEAVES
      sum_permuted(tree, group->n_trees, m->leaves, rows, vectors, sums->permuted);
#endif
      sum_listed(tree, group->n_trees, m->leaves, rows, vectors, sums->listed);
    }
    tree += group->n_trees;
  }
}

static void run_block(const struct model* m, struct candidates x, int n, int8_t* scratch, struct sums* sums,
                      uint8_t* leaf_numbers, int64_t n_all) {
  const int needed = (n + VECTOR_BYTES - 1) / VECTOR_BYTES;
  const int vectors = needed > 4 ? 8 : needed;
  lanes_t* ranks = (lanes_t*)scratch;
  lanes_t* rows = ranks + m->n_rank_rows * vectors;
  rank_block(m, x, n, scratch, vectors * VECTOR_BYTES);
  rank_categories(m, x, n, scratch, vectors * VECTOR_BYTES);
  switch (vectors) {
    case 1: run_trees(m, ranks, rows, sums, leaf_numbers, n_all, n, 1); break;
    case 2: run_trees(m, ranks, rows, sums, leaf_numbers, n_all, n, 2); break;
#if VECTOR_BYTES < 64
    case 3: run_trees(m, ranks, rows, sums, leaf_numbers, n_all, n, 3); break;
    case 4: run_trees(m, ranks, rows, sums, leaf_numbers, n_all, n, 4); break;
#endif
#if VECTOR_BYTES < 32
    case 8: run_trees(m, ranks, rows, sums, leaf_numbers, n_all, n, 8); break;
#endif
  }
}

/* The candidates from `start` on. */
static struct candidates from(struct candidates rows, const struct model* m, int64_t start) {
  const int64_t bytes = start * m->n_features * (rows.wide ? sizeof(double) : sizeof(float));
  return (struct candidates){(const char*)rows.x + bytes, rows.wide};
}

int block_candidates(void) { return MAX_LANES; }
int permuted_leaves(void) { return PERMUTED_LEAVES; }

/* Bytes of scratch, aligned to 64, that a call needs. */
int64_t scratch_bytes(const struct model* m) { return (int64_t)(m->n_rank_rows + m->n_rows) * MAX_LANES; }

/* x: n rows of floats, or of doubles where `wide`; scores: n. */
void score(const struct model* m, const void* x, int wide, int64_t n, int8_t* scratch, float* scores) {
  const struct candidates rows = {x, wide};
  for (int64_t start = 0; start < n; start += MAX_LANES) {
    const int n_block = n - start < MAX_LANES ? (int)(n - start) : MAX_LANES;
    struct sums sums = {{0}, {0}};
    run_block(m, from(rows, m, start), n_block, scratch, &sums, 0, 0);
    for (int i = 0; i < n_block; ++i) {
      uint32_t sum = sums.listed[i];
#if PERMUTED_LEAVES
      sum += sums.permuted[place_of(i)];
#endif
      scores[start + i] = (float)(m->base + m->scale * (int32_t)sum);
    }
  }
}

/* leaf_numbers: n for each tree, counted from left to right. */
void leaf_numbers(const struct model* m, const void* x, int wide, int64_t n, int8_t* scratch, uint8_t* leaf_numbers) {
  const struct candidates rows = {x, wide};
  struct sums unused;
  for (int64_t start = 0; start < n; start += MAX_LANES) {
    const int n_block = n - start < MAX_LANES ? (int)(n - start) : MAX_LANES;
    run_block(m, from(rows, m, start), n_block, scratch, &unused, leaf_numbers + start, n);
  }
}
