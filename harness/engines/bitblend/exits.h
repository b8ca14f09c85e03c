/* Early exit within a list: after each stage of trees only those go on that stand near the k-th best of those there.

   All ranks of the list are found first. Those of the candidates that stay are then moved together, so that fewer
   vectors go through the trees behind; sums are whole numbers, and so are the comparisons that decide.
   `harness/early_exit.py` says what the scores of the others are. */

#ifndef BITBLEND_EXITS_H
#define BITBLEND_EXITS_H

#include <math.h>

#include "blends.h"
#include "model.h"
#include "vectors.h"

#define PART 16 /* candidates whose ranks one permute moves */
typedef int8_t bytes_t __attribute__((vector_size(PART), may_alias));

/* What a list of n candidates needs. ranks: of those there, in blocks of MAX_LANES, a row as long as the vectors of its
   block; next: room for those that stay. sums, places: of each candidate there, the latter in the list. left: places in
   the order in which candidates leave. kept, order, counts, row: for a moment, while ranks are moved together. */
struct leaving {
  int8_t *ranks, *next, *row;
  uint32_t* sums;
  int32_t *places, *left, *kept, *counts;
  bytes_t* order;
  int n;
};

static int64_t rank_bytes(const struct model* m, int64_t n) {
  return (n + MAX_LANES - 1) / MAX_LANES * MAX_LANES * m->n_rank_rows;
}

/* Of a byte for each candidate, and of what a part writes beyond its own. */
static int64_t row_bytes(int64_t n) { return (n + MAX_LANES - 1) / MAX_LANES * MAX_LANES + 64; }

static int64_t list_bytes(int64_t n) { return row_bytes(n) * (int64_t)sizeof(int32_t); }

static int64_t leaving_bytes(const struct model* m, int64_t n) {
  return 2 * rank_bytes(m, n) + 2 * row_bytes(n) + 5 * list_bytes(n);
}

static struct leaving leaving_of(const struct model* m, int n, int8_t* scratch) {
  struct leaving list = {.ranks = scratch, .next = scratch + rank_bytes(m, n), .n = n};
  list.row = list.next + rank_bytes(m, n);
  list.order = (bytes_t*)(list.row + row_bytes(n));
  int8_t* const lists = list.row + 2 * row_bytes(n);
  list.sums = (uint32_t*)lists;
  list.places = (int32_t*)(lists + list_bytes(n));
  list.left = (int32_t*)(lists + 2 * list_bytes(n));
  list.kept = (int32_t*)(lists + 3 * list_bytes(n));
  list.counts = (int32_t*)(lists + 4 * list_bytes(n));
  for (int i = 0; i < n; ++i) list.sums[i] = 0, list.places[i] = i;
  return list;
}

/* The k-th largest sum, the least where there are fewer: halving the numbers that it may be. */
static int64_t kth_largest(const uint32_t* sums, int n, int k) {
  int64_t low = INT32_MIN, high = INT32_MAX;
  if (k > n) k = n;
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    const int32_t least = (int32_t)middle;
    int reached = 0;
    for (int i = 0; i < n; ++i) reached += (int32_t)sums[i] >= least;
    if (reached >= k) low = middle;
    else high = middle - 1;
  }
  return low;
}

static void add_stage(const struct model* m, struct run run, struct leaving* list, int8_t* scratch) {
  for (int start = 0; start < list->n; start += MAX_LANES) {
    const int n = block_of(list->n, start);
    struct sums sums = {{0}, {0}};
    run_ranked(m, run, list->ranks + (int64_t)start * m->n_rank_rows, n, scratch, &sums, 0, 0);
    for (int i = 0; i < n; ++i) list->sums[start + i] += sum_of(&sums, i);
  }
}

/* Where a row of ranks stands for the block from `start` on, of n candidates. */
ALWAYS_INLINE int64_t row_begin(const struct model* m, int n, int start, int row) {
  return (int64_t)start * m->n_rank_rows + row * vectors_of(block_of(n, start)) * VECTOR_BYTES;
}

/* Moves the ranks of those together whose numbers among the candidates there are `kept`. */
static void gather(const struct model* m, struct leaving* list, int n_kept) {
  const int n = list->n, n_parts = (n + PART - 1) / PART;
  for (int p = 0, i = 0; p < n_parts; ++p) { /* the candidates of a part, those that stay first */
    int8_t own[PART] = {0};
    const int begin = i;
    while (i < n_kept && list->kept[i] < (p + 1) * PART) own[i - begin] = (int8_t)(list->kept[i] % PART), ++i;
    memcpy(list->order + p, own, sizeof own);
    list->counts[p] = i - begin;
  }
  for (int r = 0; r < m->n_rank_rows; ++r) {
    int8_t* end = list->row;
    for (int start = 0; start < n; start += MAX_LANES) {
      const bytes_t* from = (const bytes_t*)(list->ranks + row_begin(m, n, start, r));
      const int first = start / PART, last = first + MAX_LANES / PART;
      for (int p = first; p < last && p < n_parts; ++p) { /* what one writes beyond its own, the next writes over */
        const bytes_t moved = __builtin_shuffle(from[p - first], list->order[p]);
        memcpy(end, &moved, sizeof moved);
        end += list->counts[p];
      }
    }
    for (int start = 0; start < n_kept; start += MAX_LANES) {
      const int64_t to = row_begin(m, n_kept, start, r), length = row_begin(m, n_kept, start, r + 1) - to;
      memcpy(list->next + to, list->row + start, length);
    }
  }
  int8_t* const ranks = list->ranks;
  list->ranks = list->next, list->next = ranks;
}

/* Keeps candidates whose sum is at least `least`, and appends the places of the others to `left`; how many those are. */
static int leave(const struct model* m, struct leaving* list, int64_t least, double base, int32_t* left,
                 float* scores) {
  int n_kept = 0, n_left = 0;
  for (int i = 0; i < list->n; ++i) {
    const int32_t place = list->places[i], sum = (int32_t)list->sums[i];
    if (sum >= least) {
      list->kept[n_kept] = i, list->places[n_kept] = place, list->sums[n_kept] = (uint32_t)sum, ++n_kept;
    } else {
      scores[place] = (float)(base + m->scale * sum), left[n_left++] = place;
    }
  }
  if (n_left && n_kept) gather(m, list, n_kept);
  list->n = n_kept;
  return n_left;
}

/* Moves scores of those that left together below those that stayed longer, where one stands above. Returns what those
   that left before them have to stay below. */
static float put_behind(const int32_t* places, int n, float ceiling, float* scores) {
  float best = -INFINITY, least = INFINITY;
  for (int i = 0; i < n; ++i) best = scores[places[i]] > best ? scores[places[i]] : best;
  for (int i = 0; i < n; ++i) {
    float* const own = scores + places[i];
    if (best > ceiling) *own = (*own - best) + ceiling;
    least = *own < least ? *own : least;
  }
  return n ? nextafterf(least, -INFINITY) : ceiling;
}

static void run_stages(const struct model* m, const struct exits* e, struct leaving* list, int8_t* scratch,
                       float* scores) {
  struct run run = {m->groups, m->bottoms, m->tops, m->trees, 0};
  const int last = e->n_stages - 1;
  int n_left[e->n_stages], begin = 0;
  for (int s = 0; s <= last; ++s) {
    const struct stage* stage = e->stages + s;
    run.n_groups = stage->n_groups;
    add_stage(m, run, list, scratch);
    run.groups += stage->n_groups, run.bottoms += stage->n_bottoms, run.tops += stage->n_tops;
    run.trees += stage->n_trees;
    const int64_t least = s < last ? kth_largest(list->sums, list->n, e->k) + stage->cut : INT64_MAX;
    n_left[s] = leave(m, list, least, stage->base, list->left + begin, scores);
    begin += n_left[s];
  }
  float ceiling = INFINITY;
  for (int s = last; s >= 0; --s) {
    begin -= n_left[s];
    ceiling = put_behind(list->left + begin, n_left[s], ceiling, scores);
  }
}

#endif
