/* What Python hands over: an int8 network as arrays (packing.py says how they are made). */

#ifndef BYTENET_MODEL_H
#define BYTENET_MODEL_H

#include <stdint.h>

/* A hidden layer. Its inputs stand in groups of 4, its outputs in quads; both are padded with zeros. */
struct layer {
  int32_t n_groups, n_quads;
  int32_t zero; /* the byte of its outputs that stands for 0 */
};

#define CHUNK 16 /* features are padded to whole chunks, which are whole vectors of every instruction set */
#define N_LOG_TERMS 9

/* Arrays of all layers stand one layer after the other. */
struct model {
  int32_t n_features, n_missing, n_layers, most_groups;
  int32_t input_zero, missing_byte; /* bytes of the inputs: for 0, and for an indicator that is 1 */
  float input_least, input_most;    /* ends of the inputs, counted from their zero */
  const float *scale, *shift; /* from the features' logarithms to bytes, padded */
  const float* log_terms;     /* N_LOG_TERMS: log(1 + f) is f - f^2 / 2 + f^3 * polynomial, highest power first */
  const int32_t* missing;     /* features with an indicator; those stand behind the padded features */
  const struct layer* layers;
  const int8_t* weights;    /* quad by quad: for each group, 4 weights of each output of the quad */
  const int32_t* runs;      /* quad by quad: lengths of runs of groups, the sums of which fit a partial sum */
  const int32_t* biases;    /* of each output, what the inputs' zero adds taken off */
  const float* multipliers; /* output bytes per unit of each output's sum */
  const int32_t* output;    /* weight of each byte of the last hidden layer, the sums of which fit in 32 bits */
  double base, unit;        /* score = base + unit * sum */
};

#endif
