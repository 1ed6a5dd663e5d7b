// Handwritten digits, learnt by softmax regression: the program of bare-metal/demo in C. It runs on a desktop and, with
// start.c, on a Cortex-M4F, and its weights have the bits of the Rust program wherever it runs.
//
// For that it must be compiled with -ffp-contract=off: GCC would contract a*b + c into one instruction that rounds once.

#include <adagrad.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PIXELS = 64, DIGITS = 10, PARAMETERS = (PIXELS + 1) * DIGITS, IMAGES = 1797, TRAINING = 1440 };
enum { BATCH = 16, EPOCHS = 5 };
// The hash of the weights after the last epoch: that of the Rust program.
static const uint32_t expected = 0x4DB00D86u;

// Each row has 64 pixels in 0..=16, then the digit. digits.inc is examples/data/digits.csv with a comma after each line.
static const uint8_t images[IMAGES * (PIXELS + 1)] = {
#include "digits.inc"
};

// For each pixel, and for a constant, a value for each digit.
static float weights[PARAMETERS], gradient[PARAMETERS], accumulator[PARAMETERS];

static const uint8_t *image(int number) { return &images[number * (PIXELS + 1)]; }

static float input(const uint8_t *pixels, int at) { return at < PIXELS ? (float)pixels[at] / 16.0f : 1.0f; }

static void score(const uint8_t *pixels, float scores[DIGITS]) {
    for (int digit = 0; digit < DIGITS; digit++) scores[digit] = 0.0f;
    for (int at = 0; at <= PIXELS; at++)
        for (int digit = 0; digit < DIGITS; digit++) scores[digit] += input(pixels, at) * weights[at * DIGITS + digit];
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
            for (int digit = 0; digit < DIGITS; digit++) gradient[at * DIGITS + digit] += input(pixels, at) * errors[digit];
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

// The hash FNV-1a of the weights' bytes, the least significant first.
static uint32_t hash(void) {
    uint32_t value = 0x811C9DC5u;
    for (int i = 0; i < PARAMETERS; i++) {
        uint32_t bits;
        memcpy(&bits, &weights[i], sizeof bits);
        for (int byte = 0; byte < 4; byte++) value = (value ^ (bits >> (8 * byte) & 0xFF)) * 0x01000193u;
    }
    return value;
}

int main(void) {
    adagrad_options options = adagrad_new(0.2f);
    options.gradient_scale = 1.0f / BATCH; // the gradients of a batch are summed; that makes it the mean
    for (int i = 0; i < PARAMETERS; i++) accumulator[i] = options.initial_accumulator;

    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        for (int first = 0; first < TRAINING; first += BATCH) {
            look_at(first);
            const adagrad_status status = adagrad_step(&options, weights, gradient, accumulator, PARAMETERS, NULL);
            if (status != ADAGRAD_STATUS_OK) {
                printf("%s\n", adagrad_status_message(status));
                return 1;
            }
        }
        printf("epoch %d: %d of %d held-out images right\n", epoch, held_out(), IMAGES - TRAINING);
    }
    const int same = hash() == expected;
    printf("weights' hash %08lx %s\n", (unsigned long)hash(), same ? "is the expected one" : "IS NOT THE EXPECTED ONE");
    return same ? 0 : 1;
}
