/* A ranker of trees as a C library: `make`, then link with -lranker.

     float x[100 * RANKER_N_FEATURES], scores[100];
     ...
     if (ranker_score(x, 100, scores) != 0) ... out of memory ...
*/
#ifndef RANKER_H
#define RANKER_H

#include <stdint.h>

#define RANKER_N_FEATURES N_FEATURES_OF_THE_MODEL

#ifdef __cplusplus
extern "C" {
#endif

/* Scores n_rows candidates. x: n_rows * RANKER_N_FEATURES numbers, candidate by candidate, NaN for missing;
   scores: room for n_rows, higher is better. Returns 0, or -1 where there is no memory. Safe to call from many threads. */
__attribute__((visibility("default"))) int ranker_score(const float* x, int64_t n_rows, float* scores);

#ifdef __cplusplus
}
#endif

#endif
