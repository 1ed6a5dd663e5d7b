// The tests of sixteen.c for one kind: T is bf16 or f16, KIND is nothing, _grads_f32 or _accumulator_f32. With the first two,
// GRADS_F32 and ACCUMULATOR_F32 are 0 or 1. sixteen.c includes it for each.

#define PASTE_(a, b, c) a##b##c
#define PASTE(a, b, c) PASTE_(a, b, c)
#define OF(name) PASTE(name##_, T, KIND)
#define WITH(name, width) PASTE(OF(name), _, width)
#define NARROW PASTE(adagrad_, T, ) // the type
#define FROM_F32 PASTE(adagrad_, T, _from_f32)
#define TO_F32 PASTE(adagrad_f32_from_, T, )
#if ACCUMULATOR_F32
#define TABLE PASTE(adagrad_table_, T, _accumulator_f32)
#define A float
#define A_FROM kept
#define A_TO kept
#else
#define TABLE PASTE(adagrad_table_, T, )
#define A NARROW
#define A_FROM FROM_F32
#define A_TO TO_F32
#endif
#if GRADS_F32
#define G float
#define G_FROM kept
#define G_TO kept
#define NEW PASTE(adagrad_table_new_, T, )
#define ROW_WISE PASTE(adagrad_table_row_wise_, T, )
#else
#define G NARROW
#define G_FROM FROM_F32
#define G_TO TO_F32
#define NEW OF(adagrad_table_new)
#define ROW_WISE OF(adagrad_table_row_wise)
#endif

// Arrays that hold what a step takes.
typedef struct {
    size_t n;
    NARROW *w;
    G *g;
    A *a;
} OF(these);

static OF(these) OF(narrowed)(arrays from) {
    const size_t n = from.n;
    OF(these) all = {n, malloc(n * sizeof(NARROW) + !n), malloc(n * sizeof(G) + !n), malloc(n * sizeof(A) + !n)};
    if (!all.w || !all.g || !all.a) abort();
    CHECK(FROM_F32(from.w, all.w, n) == ADAGRAD_STATUS_OK);
    CHECK(G_FROM(from.g, all.g, n) == ADAGRAD_STATUS_OK);
    CHECK(A_FROM(from.a, all.a, n) == ADAGRAD_STATUS_OK);
    return all;
}

static arrays OF(widened)(OF(these) from) {
    arrays all = made(from.n);
    CHECK(TO_F32(from.w, all.w, from.n) == ADAGRAD_STATUS_OK);
    CHECK(G_TO(from.g, all.g, from.n) == ADAGRAD_STATUS_OK);
    CHECK(A_TO(from.a, all.a, from.n) == ADAGRAD_STATUS_OK);
    return all;
}

static int OF(equal)(OF(these) x, OF(these) y) {
    return x.n == y.n && (x.n == 0 || (memcmp(x.w, y.w, x.n * sizeof(NARROW)) == 0 && memcmp(x.g, y.g, x.n * sizeof(G)) == 0 &&
                                       memcmp(x.a, y.a, x.n * sizeof(A)) == 0));
}

static void OF(gone)(OF(these) all) { free(all.w), free(all.g), free(all.a); }

// The step of floats, rounded.
static void OF(dense_nearest)(void) {
    const adagrad_rounding nearest = adagrad_round_nearest();
    adagrad_options all[3] = {adagrad_new(0.1f), adagrad_keras(0.1f), adagrad_pytorch(0.1f)};
    all[1].decay = ADAGRAD_DECAY_DECOUPLED, all[1].weight_decay = 0.01f;
    all[2].weight_decay = 0.01f, all[2].gradient_scale = 0.3f, all[2].clip_value = 0.2f;
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 0; n < 300; n += 1 + n / 8) {
            arrays start = made(n);
            OF(these) ours = OF(narrowed)(start);
            arrays wide = OF(widened)(ours);
            adagrad_report report = {9, 9, 9};
            CHECK(OF(adagrad_step)(&all[i], ours.w, ours.g, ours.a, n, &nearest, &report) == ADAGRAD_STATUS_OK);
            CHECK(report.skipped == 0 && report.out_of_range == 0 && report.position == 0);
            CHECK(adagrad_step(&all[i], wide.w, wide.g, wide.a, n, NULL) == ADAGRAD_STATUS_OK);
            OF(these) theirs = OF(narrowed)(wide);
            CHECK(OF(equal)(ours, theirs));
            freed(start), freed(wide), OF(gone)(ours), OF(gone)(theirs);
        }
}

// Neighbours of the step of floats, the same in parts and again, and others for another seed or step.
static void OF(dense_by_chance)(void) {
    enum { N = 300, FIRST = 77 };
    const adagrad_options o = adagrad_new(0.1f);
    arrays start = made(N);
    OF(these) all[5];
    for (int i = 0; i < 5; i++) all[i] = OF(narrowed)(start);
    arrays wide = OF(widened)(all[0]);
    adagrad_rounding rounding = adagrad_round_stochastic(7, 3);
    CHECK(rounding.kind == ADAGRAD_ROUNDING_KIND_STOCHASTIC && rounding.first == 0 && rounding.position == 0);
    CHECK(OF(adagrad_step)(&o, all[0].w, all[0].g, all[0].a, N, &rounding, NULL) == ADAGRAD_STATUS_OK);
    CHECK(OF(adagrad_step)(&o, all[1].w, all[1].g, all[1].a, FIRST, &rounding, NULL) == ADAGRAD_STATUS_OK);
    rounding.first = FIRST;
    CHECK(OF(adagrad_step)(&o, all[1].w + FIRST, all[1].g + FIRST, all[1].a + FIRST, N - FIRST, &rounding, NULL) == ADAGRAD_STATUS_OK);
    CHECK(OF(equal)(all[0], all[1]));
    for (int i = 2; i < 4; i++) {
        rounding = adagrad_round_stochastic(i == 2 ? 8 : 7, i == 3 ? 4 : 3);
        CHECK(OF(adagrad_step)(&o, all[i].w, all[i].g, all[i].a, N, &rounding, NULL) == ADAGRAD_STATUS_OK);
        CHECK(!OF(equal)(all[0], all[i]));
    }
    rounding = adagrad_round_nearest();
    CHECK(OF(adagrad_step)(&o, all[4].w, all[4].g, all[4].a, N, &rounding, NULL) == ADAGRAD_STATUS_OK);
    int moved = 0;
    for (size_t i = 0; i < N; i++) {
        const int distance = (int)all[0].w[i] - (int)all[4].w[i];
        CHECK(distance >= -1 && distance <= 1);
        moved += distance != 0;
    }
    CHECK(moved > N / 10 && moved < N / 2);
    freed(start), freed(wide);
    for (int i = 0; i < 5; i++) OF(gone)(all[i]);
}

// A table in one kind's memory with all that its fields can say, and the same of floats: the bits of the other, rounded.
static void OF(tables)(int interleaved, int row_wise, int padded, int wide_rows, int bags) {
    enum { ROWS = 7, DIM = 5, COUNT = 5, WIDE = 8, STRIDE = 6, MEMORY = ROWS * 2 * WIDE };
    const size_t dim = padded ? WIDE : DIM;
    const size_t stride = padded ? STRIDE : DIM;
    const uint32_t rows[COUNT] = {6, 0, 2, 99, 3};
    const uint64_t rows64[COUNT] = {6, 0, 2, 99, 3};
    const uint32_t offsets[4] = {0, 3, 3, 5};
    const uint64_t offsets64[4] = {0, 3, 3, 5};
    const float weights[COUNT] = {0.5f, 2, -1, 3, 1};
    arrays random = made(MEMORY);
    if (interleaved) memcpy(random.w, random.a, MEMORY * sizeof(float)); // accumulators are not negative
    OF(these) ours = OF(narrowed)(random);
    arrays wide = OF(widened)(ours), before = copied(wide);

    const adagrad_options o = adagrad_new(0.1f);
    const adagrad_rounding nearest = adagrad_round_nearest();
    adagrad_table table = row_wise ? adagrad_table_row_wise(wide.w, wide.a, ROWS, dim) : adagrad_table_new(wide.w, wide.a, ROWS, dim);
    TABLE narrow = row_wise ? ROW_WISE(ours.w, ours.a, ROWS, dim) : NEW(ours.w, ours.a, ROWS, dim);
#if !ACCUMULATOR_F32
    if (interleaved) {
        table = row_wise ? adagrad_table_interleaved_row_wise(wide.w, ROWS, dim) : adagrad_table_interleaved(wide.w, ROWS, dim);
        narrow = row_wise ? PASTE(adagrad_table_interleaved_row_wise_, T, )(ours.w, ROWS, dim)
                          : PASTE(adagrad_table_interleaved_, T, )(ours.w, ROWS, dim);
    }
#endif
    CHECK(narrow.columns == dim && narrow.gradient_stride == dim && narrow.padding_row == SIZE_MAX && narrow.rows == ROWS);
    narrow.columns = table.columns = DIM;
    narrow.gradient_stride = table.gradient_stride = stride;
    narrow.padding_row = table.padding_row = 2;
    narrow.skip_out_of_range = table.skip_out_of_range = 1;
    adagrad_report report = {9, 9, 9}, expected = {9, 9, 9};
    adagrad_status status;
    float scratch[DIM];
    if (bags) {
        const adagrad_bags_u32 all = {offsets, rows, bags & 2 ? weights : NULL, 3, COUNT, bags & 1, {0}};
        const adagrad_bags_u64 all64 = {offsets64, rows64, bags & 2 ? weights : NULL, 3, COUNT, bags & 1, {0}};
        status = wide_rows ? WITH(adagrad_table_step_bags, u64)(&o, &narrow, &all64, ours.g, scratch, &nearest, &report)
                           : WITH(adagrad_table_step_bags, u32)(&o, &narrow, &all, ours.g, scratch, &nearest, &report);
        CHECK(adagrad_table_step_bags_u32(&o, &table, &all, wide.g, scratch, &expected) == ADAGRAD_STATUS_OK);
    } else {
        status = wide_rows ? WITH(adagrad_table_step, u64)(&o, &narrow, rows64, ours.g, COUNT, &nearest, &report)
                           : WITH(adagrad_table_step, u32)(&o, &narrow, rows, ours.g, COUNT, &nearest, &report);
        CHECK(adagrad_table_step_u32(&o, &table, rows, wide.g, COUNT, &expected) == ADAGRAD_STATUS_OK);
    }
    CHECK(status == ADAGRAD_STATUS_OK && report.out_of_range == 1 && expected.out_of_range == 1 && report.skipped == 0);
    OF(these) theirs = OF(narrowed)(wide);
    CHECK(OF(equal)(ours, theirs) && !all_same(wide, before));
    freed(random), freed(wide), freed(before), OF(gone)(ours), OF(gone)(theirs);
}

// A step's gradients may come in several calls, and a table's rows lie in several tables.
static void OF(rows_by_chance)(void) {
    enum { ROWS = 9, DIM = 7, COUNT = 4, LATER = 4 };
    const uint32_t rows[COUNT] = {6, 6, 3, 8}, reordered[3] = {3, 8, 6}, moved[2] = {8 - LATER, 6 - LATER};
    const adagrad_options o = adagrad_new(0.1f);
    arrays start = made((size_t)ROWS * DIM);
    memcpy(&start.g[2 * DIM], start.g, DIM * sizeof(float)); // gradients 0 and 2 are the same, and so 1 and 3
    memcpy(&start.g[3 * DIM], &start.g[DIM], DIM * sizeof(float));
    OF(these) a = OF(narrowed)(start), b = OF(narrowed)(start), c = OF(narrowed)(start), d = OF(narrowed)(start);
    adagrad_rounding rounding = adagrad_round_stochastic(1, 2);
    TABLE table = NEW(a.w, a.a, ROWS, DIM);
    CHECK(WITH(adagrad_table_step, u32)(&o, &table, rows, a.g, COUNT, &rounding, NULL) == ADAGRAD_STATUS_OK);
    table.params = b.w, table.accumulator = b.a;
    CHECK(WITH(adagrad_table_step, u32)(&o, &table, rows, b.g, 1, &rounding, NULL) == ADAGRAD_STATUS_OK);
    rounding.position = 1;
    CHECK(WITH(adagrad_table_step, u32)(&o, &table, rows + 1, b.g + DIM, COUNT - 1, &rounding, NULL) == ADAGRAD_STATUS_OK);
    CHECK(OF(equal)(a, b));

    // Rows 3, 8 and 6 with the gradients 0, 1 and 0, in another order and by two calls.
    rounding.without_positions = 1;
    table.params = c.w, table.accumulator = c.a;
    CHECK(WITH(adagrad_table_step, u32)(&o, &table, reordered, c.g, 3, &rounding, NULL) == ADAGRAD_STATUS_OK);
    table.params = d.w, table.accumulator = d.a;
    CHECK(WITH(adagrad_table_step, u32)(&o, &table, rows + 2, d.g, 1, &rounding, NULL) == ADAGRAD_STATUS_OK);
    table.params = d.w + LATER * DIM, table.accumulator = d.a + LATER * DIM, table.rows = ROWS - LATER;
    rounding.first = LATER;
    CHECK(WITH(adagrad_table_step, u32)(&o, &table, moved, d.g + DIM, 2, &rounding, NULL) == ADAGRAD_STATUS_OK);
    CHECK(OF(equal)(c, d) && !OF(equal)(a, c));
    freed(start), OF(gone)(a), OF(gone)(b), OF(gone)(c), OF(gone)(d);
}

static void OF(refused)(void) {
    enum { ROWS = 7, DIM = 5, N = ROWS * DIM, COUNT = 4 };
    const uint32_t rows[COUNT] = {6, 0, 3, 0}, outside[COUNT] = {6, 0, 3, 7}, offsets[3] = {0, 2, COUNT}, unordered[3] = {0, 5, COUNT};
    const adagrad_rounding nearest = adagrad_round_nearest();
    const adagrad_options o = adagrad_new(0.1f), bad = adagrad_new(-1);
    adagrad_report report = {9, 9, 9};
    float scratch[DIM] = {0};
    arrays start = made(N);
    OF(these) x = OF(narrowed)(start), before = OF(narrowed)(start);
#define DENSE(o, w, g, a, n, rounding) OF(adagrad_step)(o, w, g, a, n, rounding, &report)
#define ODD(T, pointer) ((T *)(void *)((char *)(void *)(pointer) + 1))
    CHECK(DENSE(NULL, x.w, x.g, x.a, N, &nearest) == ADAGRAD_STATUS_NULL && report.skipped == 0 && report.position == 0);
    CHECK(DENSE(&o, NULL, x.g, x.a, N, &nearest) == ADAGRAD_STATUS_NULL);
    CHECK(DENSE(&o, x.w, NULL, x.a, N, &nearest) == ADAGRAD_STATUS_NULL);
    CHECK(DENSE(&o, x.w, x.g, NULL, N, &nearest) == ADAGRAD_STATUS_NULL);
    CHECK(DENSE(&o, x.w, x.g, x.a, N, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(DENSE(&o, ODD(NARROW, x.w), x.g, x.a, N - 1, &nearest) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(DENSE(&o, x.w, ODD(G, x.g), x.a, N - 1, &nearest) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(DENSE(&o, x.w, x.g, ODD(A, x.a), N - 1, &nearest) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(DENSE(&o, x.w, x.g, x.a, N, ODD(const adagrad_rounding, &nearest)) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(DENSE(&o, x.w, (G *)(void *)x.w, x.a, N / 2, &nearest) == ADAGRAD_STATUS_OVERLAP);
    CHECK(DENSE(&o, x.w, x.g, (A *)(void *)x.w, N / 2, &nearest) == ADAGRAD_STATUS_OVERLAP);
    CHECK(DENSE(&o, x.w, (G *)(void *)x.a, x.a, N / 2, &nearest) == ADAGRAD_STATUS_OVERLAP);
    CHECK(DENSE(&o, x.w, x.g, x.a, SIZE_MAX, &nearest) == ADAGRAD_STATUS_LENGTH);
    CHECK(DENSE(&bad, x.w, x.g, x.a, N, &nearest) == ADAGRAD_STATUS_OPTION);
    CHECK(DENSE(&o, NULL, NULL, NULL, 0, &nearest) == ADAGRAD_STATUS_OK);
    for (int i = 0; i < 3; i++) {
        adagrad_rounding unknown = nearest;
        if (i == 0) unknown.kind = 2;
        if (i == 1) unknown.without_positions = 2;
        if (i == 2) unknown.reserved[5] = 1;
        CHECK(DENSE(&o, x.w, x.g, x.a, N, &unknown) == ADAGRAD_STATUS_UNKNOWN && report.position == 0);
    }
#undef DENSE
    TABLE table = NEW(x.w, x.a, ROWS, DIM);
#define REFUSED(field, value, status)                                                                                       \
    do {                                                                                                                    \
        TABLE other = table;                                                                                                \
        adagrad_bags_u32 bags = {offsets, rows, NULL, 2, COUNT, 0, {0}};                                                    \
        other.field = value;                                                                                                \
        CHECK(WITH(adagrad_table_step, u32)(&o, &other, rows, x.g, COUNT, &nearest, NULL) == ADAGRAD_STATUS_##status);      \
        CHECK(WITH(adagrad_table_step_bags, u32)(&o, &other, &bags, x.g, scratch, &nearest, NULL) == ADAGRAD_STATUS_##status); \
    } while (0)
    REFUSED(params, NULL, NULL);
    REFUSED(accumulator, NULL, NULL);
    REFUSED(accumulator, (A *)(void *)x.w, OVERLAP);
    REFUSED(accumulator, (A *)(void *)x.g, OVERLAP);
    REFUSED(params, ODD(NARROW, x.w), MISALIGNED);
    REFUSED(rows, SIZE_MAX / 2, LENGTH);
    REFUSED(rows, 6, ROW);
    REFUSED(dim, 0, DIM);
    REFUSED(columns, 0, DIM);
    REFUSED(columns, DIM + 1, DIM);
    REFUSED(gradient_stride, DIM - 1, DIM);
    REFUSED(gradient_stride, SIZE_MAX, LENGTH);
    REFUSED(layout, ACCUMULATOR_F32 ? 2 : 4, UNKNOWN);
    REFUSED(skip_out_of_range, 2, UNKNOWN);
    REFUSED(reserved[0], 1, UNKNOWN);
#undef REFUSED
#define ROWS_OF(table, rows, g, rounding) WITH(adagrad_table_step, u32)(&o, table, rows, g, COUNT, rounding, &report)
    CHECK(ROWS_OF(NULL, rows, x.g, &nearest) == ADAGRAD_STATUS_NULL);
    CHECK(ROWS_OF(&table, NULL, x.g, &nearest) == ADAGRAD_STATUS_NULL);
    CHECK(ROWS_OF(&table, rows, NULL, &nearest) == ADAGRAD_STATUS_NULL);
    CHECK(ROWS_OF(&table, rows, x.g, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(ROWS_OF(&table, outside, x.g, &nearest) == ADAGRAD_STATUS_ROW && report.position == 3);
#undef ROWS_OF
#define BAGS_OF(bags, scratch, rounding) WITH(adagrad_table_step_bags, u32)(&o, &table, bags, x.g, scratch, rounding, &report)
    adagrad_bags_u32 bags = {offsets, rows, NULL, 2, COUNT, 0, {0}};
    CHECK(BAGS_OF(NULL, scratch, &nearest) == ADAGRAD_STATUS_NULL);
    CHECK(BAGS_OF(&bags, NULL, &nearest) == ADAGRAD_STATUS_NULL); // for a sum, too
    CHECK(BAGS_OF(&bags, scratch, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(BAGS_OF(&bags, ODD(float, scratch), &nearest) == ADAGRAD_STATUS_MISALIGNED);
    if (((uintptr_t)x.w & 3) == 0) CHECK(BAGS_OF(&bags, (float *)(void *)x.w, &nearest) == ADAGRAD_STATUS_OVERLAP);
    bags.offsets = unordered;
    CHECK(BAGS_OF(&bags, scratch, &nearest) == ADAGRAD_STATUS_OFFSET && report.position == 1);
    bags.offsets = offsets, bags.rows = outside;
    CHECK(BAGS_OF(&bags, scratch, &nearest) == ADAGRAD_STATUS_ROW && report.position == 3);
    bags.rows = rows, bags.mean = 2;
    CHECK(BAGS_OF(&bags, scratch, &nearest) == ADAGRAD_STATUS_UNKNOWN && report.position == 0);
#undef BAGS_OF
#undef ODD
    CHECK(OF(equal)(x, before));
    freed(start), OF(gone)(x), OF(gone)(before);
}

static void OF(all)(void) {
    OF(dense_nearest)();
    OF(dense_by_chance)();
    // Bits of a number: interleaved, row-wise, padded, indices of 64 bits; and then whether bags are a mean, or weighted.
    for (int kind = 0; kind < 64; kind++)
        if (!ACCUMULATOR_F32 || !(kind & 1)) OF(tables)(kind & 1, kind >> 1 & 1, kind >> 2 & 1, kind >> 3 & 1, kind >> 4);
    OF(rows_by_chance)();
    OF(refused)();
}

#undef PASTE_
#undef PASTE
#undef OF
#undef WITH
#undef NARROW
#undef FROM_F32
#undef TO_F32
#undef TABLE
#undef A
#undef A_FROM
#undef A_TO
#undef G
#undef G_FROM
#undef G_TO
#undef NEW
#undef ROW_WISE
#undef KIND
#undef GRADS_F32
#undef ACCUMULATOR_F32
