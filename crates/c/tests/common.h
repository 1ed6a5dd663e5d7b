// What the tests in C share: checks that count, arrays of random numbers, and the step as the header has it.

#ifndef COMMON_H
#define COMMON_H

#include <adagrad.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0, checks = 0;

#define CHECK(condition)                                                       \
    do {                                                                       \
        checks++;                                                              \
        if (!(condition)) {                                                    \
            failures++;                                                        \
            printf("FAILED: %s:%d: %s\n", __FILE__, __LINE__, #condition);     \
        }                                                                      \
    } while (0)

static uint32_t state = 1;

// A number between -1 and 1.
static inline float number(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1.0f;
}

// Three arrays of exactly n values, so that a sanitizer sees what goes beyond.
typedef struct {
    size_t n;
    float *w, *g, *a;
} arrays;

static inline arrays made(size_t n) {
    arrays all = {n, malloc((n + 1) * sizeof(float)), malloc((n + 1) * sizeof(float)), malloc((n + 1) * sizeof(float))};
    if (!all.w || !all.g || !all.a) abort();
    for (size_t i = 0; i < n; i++) {
        all.w[i] = number();
        all.g[i] = number();
        all.a[i] = fabsf(number());
    }
    return all;
}

static inline arrays copied(arrays from) {
    arrays all = made(from.n);
    memcpy(all.w, from.w, from.n * sizeof(float));
    memcpy(all.g, from.g, from.n * sizeof(float));
    memcpy(all.a, from.a, from.n * sizeof(float));
    return all;
}

static inline void freed(arrays all) {
    free(all.w);
    free(all.g);
    free(all.a);
}

static inline int same(const float *a, const float *b, size_t n) { return n == 0 || memcmp(a, b, n * sizeof(float)) == 0; }

static inline int all_same(arrays a, arrays b) {
    return a.n == b.n && same(a.w, b.w, a.n) && same(a.g, b.g, a.n) && same(a.a, b.a, a.n);
}

// The step of one element, as the header has it.
static inline void plain(const adagrad_options *o, float *w, float g, float *a) {
    g = (o->maximize ? -o->gradient_scale : o->gradient_scale) * g;
    if (g > o->clip_value) g = o->clip_value;
    if (g < -o->clip_value) g = -o->clip_value;
    if (o->decay == ADAGRAD_DECAY_L2 && o->weight_decay != 0) g = g + o->weight_decay * *w;
    const float square = g * g;
    if (o->accumulation == ADAGRAD_ACCUMULATION_SUM) *a = *a + square;
    if (o->accumulation == ADAGRAD_ACCUMULATION_LEAKY) *a = o->rho * *a + square;
    if (o->accumulation == ADAGRAD_ACCUMULATION_EMA) *a = o->rho * *a + (1.0f - o->rho) * square;
    const float d = o->epsilon_place == ADAGRAD_EPSILON_PLACE_INSIDE_SQRT ? sqrtf(*a + o->epsilon) : sqrtf(*a) + o->epsilon;
    if (o->decay == ADAGRAD_DECAY_DECOUPLED && o->weight_decay != 0) *w = *w - *w * o->weight_decay * o->learning_rate;
    if (d != 0) *w = *w - o->learning_rate * g / d;
}

#endif
