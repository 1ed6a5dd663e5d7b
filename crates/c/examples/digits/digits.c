// Handwritten digits, learnt by softmax regression: the program of bare-metal/demo in C. It runs on a desktop and, with
// start.c, on a Cortex-M4F, and its weights have the bits of the Rust program wherever it runs.
//
// For that it must be compiled with -ffp-contract=off: GCC would contract a*b + c into one instruction that rounds once.
//
// With SIXTEEN it takes half of the memory: weights, gradients and accumulators are in half precision. It learns twice, first
// with results that are rounded by chance, then to the nearest.

#include <adagrad.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PIXELS = 64, DIGITS = 10, PARAMETERS = (PIXELS + 1) * DIGITS, IMAGES = 1797, TRAINING = 1440 };
enum { BATCH = 16, EPOCHS = 5 };

// A weight, what it stands for, the bits of it, and the hash of all weights after the last epoch: that of the Rust program.
#ifdef SIXTEEN
typedef adagrad_f16 scalar;

static float value(scalar narrow) {
    float wide;
    adagrad_f32_from_f16(&narrow, &wide, 1);
    return wide;
}

static scalar nearest(float wide) {
    scalar narrow;
    adagrad_f16_from_f32(&wide, &narrow, 1);
    return narrow;
}

static uint32_t bits(scalar narrow) { return narrow; }

enum { WAYS = 2 };
static const uint32_t expected[WAYS] = {0xAFB59B8Cu, 0xD8921A5Du};
#else
typedef float scalar;

static float value(scalar wide) { return wide; }

static scalar nearest(float wide) { return wide; }

static uint32_t bits(scalar wide) {
    uint32_t word;
    memcpy(&word, &wide, sizeof word);
    return word;
}

enum { WAYS = 1 };
static const uint32_t expected[WAYS] = {0x4DB00D86u};
#endif

// Each row has 64 pixels in 0..=16, then the digit. digits.inc is examples/data/digits.csv with a comma after each line.
static const uint8_t images[IMAGES * (PIXELS + 1)] = {
#include "digits.inc"
};

// For each pixel, and for a constant, a value for each digit.
static scalar weights[PARAMETERS], gradient[PARAMETERS], accumulator[PARAMETERS];

static const uint8_t *image(int number) { return &images[number * (PIXELS + 1)]; }

static float input(const uint8_t *pixels, int at) { return at < PIXELS ? (float)pixels[at] / 16.0f : 1.0f; }

static void score(const uint8_t *pixels, float scores[DIGITS]) {
    for (int digit = 0; digit < DIGITS; digit++) scores[digit] = 0.0f;
    for (int at = 0; at <= PIXELS; at++)
        for (int digit = 0; digit < DIGITS; digit++) scores[digit] += input(pixels, at) * value(weights[at * DIGITS + digit]);
}

static int largest(const float scores[DIGITS]) {
    int best = 0;
    for (int digit = 1; digit < DIGITS; digit++)
        if (scores[digit] > scores[best]) best = digit;
    return best;
}

// e to the power x, for x in -87..=0. A C library's expf may round otherwise; this is that of the Rust program.
// From FreeBSD's e_expf.c:
// Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
// Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this software
// is freely granted, provided that this notice is preserved.
static float exponential(float x) {
    const float ln2_hi = 6.9314575195e-01f, ln2_lo = 1.4286067653e-06f, inverse_ln2 = 1.4426950216e+00f;
    float high = x, low = 0.0f;
    int k = 0;
    if (x < -87.0f) return 0.0f;
    if (x >= -1.220703125e-04f) return 1.0f + x;
    if (x < -0.34657359f) {
        k = x < -1.03972077f ? (int)(inverse_ln2 * x - 0.5f) : -1;
        high = x - (float)k * ln2_hi;
        low = (float)k * ln2_lo;
        x = high - low;
    }
    const float xx = x * x;
    const float c = x - xx * (1.6666625440e-1f + xx * -2.7667332906e-3f);
    const float y = 1.0f + (x * c / (2.0f - c) - low + high);
    const uint32_t bits = (uint32_t)(127 + k) << 23; // 2 to the power k
    float power;
    memcpy(&power, &bits, sizeof power);
    return y * power;
}

// Sums the gradients of a batch.
static void look_at(int first) {
    memset(gradient, 0, sizeof gradient);
    for (int number = first; number < first + BATCH; number++) {
        const uint8_t *pixels = image(number);
        float errors[DIGITS], sum = 0.0f;
        score(pixels, errors);
        const float most = errors[largest(errors)];
        for (int digit = 0; digit < DIGITS; digit++) {
            errors[digit] = exponential(errors[digit] - most);
            sum += errors[digit];
        }
        for (int digit = 0; digit < DIGITS; digit++) errors[digit] /= sum;
        errors[pixels[PIXELS]] -= 1.0f;
        for (int at = 0; at <= PIXELS; at++)
            for (int digit = 0; digit < DIGITS; digit++) {
                scalar *const sum = &gradient[at * DIGITS + digit];
                *sum = nearest(value(*sum) + input(pixels, at) * errors[digit]);
            }
    }
}

// How many of the held-out images it takes for the digit that they are.
static int held_out(void) {
    int right = 0;
    for (int number = TRAINING; number < IMAGES; number++) {
        float scores[DIGITS];
        score(image(number), scores);
        right += largest(scores) == image(number)[PIXELS];
    }
    return right;
}

// The hash FNV-1a of the weights' bits as words of four bytes, the least significant first.
static uint32_t hash(void) {
    uint32_t all = 0x811C9DC5u;
    for (int i = 0; i < PARAMETERS; i++)
        for (int byte = 0; byte < 4; byte++) all = (all ^ (bits(weights[i]) >> (8 * byte) & 0xFF)) * 0x01000193u;
    return all;
}

// The step with this number.
static adagrad_status step(const adagrad_options *options, int way, uint64_t number_of_step) {
#ifdef SIXTEEN
    const adagrad_rounding rounding = way == 0 ? adagrad_round_stochastic(1, number_of_step) : adagrad_round_nearest();
    return adagrad_step_f16(options, weights, gradient, accumulator, PARAMETERS, &rounding, NULL);
#else
    (void)way, (void)number_of_step;
    return adagrad_step(options, weights, gradient, accumulator, PARAMETERS, NULL);
#endif
}

// Whether the weights are as they must be.
static int learn(int way) {
    adagrad_options options = adagrad_new(0.2f);
    options.gradient_scale = 1.0f / BATCH; // the gradients of a batch are summed; that makes it the mean
    for (int i = 0; i < PARAMETERS; i++) {
        weights[i] = nearest(0.0f);
        accumulator[i] = nearest(options.initial_accumulator);
    }
    uint64_t steps = 0;
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        for (int first = 0; first < TRAINING; first += BATCH) {
            look_at(first);
            const adagrad_status status = step(&options, way, steps++);
            if (status != ADAGRAD_STATUS_OK) {
                printf("%s\n", adagrad_status_message(status));
                return 0;
            }
        }
        printf("epoch %d: %d of %d held-out images right\n", epoch, held_out(), IMAGES - TRAINING);
    }
    const int same = hash() == expected[way];
    printf("weights' hash %08lx %s\n", (unsigned long)hash(), same ? "is the expected one" : "IS NOT THE EXPECTED ONE");
    return same;
}

int main(void) {
    int good = 1;
    for (int way = 0; way < WAYS; way++) good &= learn(way);
    return good ? 0 : 1;
}
